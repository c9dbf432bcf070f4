-- As lock_checkpoints, but waits for whoever has them.
SELECT name, version, position, chain, stopped_at, reason, set_config('enable_seqscan', 'off', true) AS seqscan,
       CASE WHEN current_setting('server_version_num')::integer >= 170000
            THEN set_config('transaction_timeout', $3::text, true) END AS limited
FROM public.view_checkpoints JOIN unnest($1::text[], $2::integer[]) AS wanted (name, version) USING (name, version)
ORDER BY name
FOR UPDATE OF view_checkpoints
