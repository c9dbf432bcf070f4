-- Prepares a load's session: schema $1 (text, quoted), order of day and month $2 (text), longest wait for a lock $3 (text).
SELECT current_user::text AS role,
       current_setting('server_version_num')::int AS server_version,
       set_config('search_path', $1, false),
       set_config('datestyle', 'ISO, ' || $2, false),
       set_config('timezone', 'UTC', false),
       set_config('lock_timeout', $3, false),
       -- A server that notices a vanished client gives its locks back in the middle of a statement.
       set_config('client_connection_check_interval', '2s', false)
