-- Position 1 of an empty log.
INSERT INTO events (position, workspace, stream, version, type, schema, at, actor, command_id, data, leaf, chain)
SELECT 1, $1, $2, 1, $3, $4, $5, $6, $7, $8::text::json, $9, $10
WHERE NOT EXISTS (SELECT FROM events)
ON CONFLICT DO NOTHING
