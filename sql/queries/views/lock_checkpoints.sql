-- Whoever has the rows projects the batch; the others find them locked and look again later.
SELECT name, version, position, chain, stopped_at, reason
FROM public.view_checkpoints JOIN unnest($1::text[], $2::integer[]) AS wanted (name, version) USING (name, version)
ORDER BY name
FOR UPDATE OF view_checkpoints SKIP LOCKED
