INSERT INTO public.view_checkpoints (name, version, position, chain)
SELECT name, version, 0, $3 FROM unnest($1::text[], $2::integer[]) AS wanted (name, version)
ON CONFLICT (name, version) DO NOTHING
