DELETE FROM public.view_checkpoints AS c
USING unnest($1::text[], $2::integer[]) AS gone (name, version)
WHERE c.name = gone.name AND c.version = gone.version
