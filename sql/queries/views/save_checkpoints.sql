UPDATE public.view_checkpoints AS c
SET position = s.position, chain = s.chain, stopped_at = s.stopped_at, reason = s.reason, updated_at = now()
FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[], $5::bigint[], $6::text[])
    AS s (name, version, position, chain, stopped_at, reason)
WHERE c.name = s.name AND c.version = s.version
