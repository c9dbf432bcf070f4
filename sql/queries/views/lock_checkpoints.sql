-- Whoever has the rows projects the batch; the others find them locked and look again later. From here to the end of the
-- transaction keys are looked up in indexes: what was planned while a view was small must not scan it once it is large.
-- $3: how long the transaction may take, in milliseconds. Of a process that is frozen between the two halves of a
-- statement no other limit holds; servers before 17 have none that does.
SELECT name, version, position, chain, stopped_at, reason, set_config('enable_seqscan', 'off', true) AS seqscan,
       CASE WHEN current_setting('server_version_num')::integer >= 170000
            THEN set_config('transaction_timeout', $3::text, true) END AS limited
FROM public.view_checkpoints JOIN unnest($1::text[], $2::integer[]) AS wanted (name, version) USING (name, version)
ORDER BY name
FOR UPDATE OF view_checkpoints SKIP LOCKED
