SELECT current_setting('server_version')              AS version,
       current_setting('server_version_num')::integer AS version_number,
       current_setting('server_encoding')             AS encoding,
       current_setting('fsync')                       AS fsync,
       current_setting('full_page_writes')            AS full_page_writes,
       current_setting('synchronous_commit')          AS synchronous_commit,
       current_setting('data_checksums')              AS data_checksums,
       current_setting('statement_timeout')           AS statement_timeout,
       pg_is_in_recovery()                            AS is_standby,
       current_setting('synchronous_standby_names') <> ''
           AND current_setting('synchronous_commit') NOT IN ('off', 'local') AS waits_for_standby
