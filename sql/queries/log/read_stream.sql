-- $1 after  $2 before  $3 limit  $4 workspace  $5 stream; then filters, null for none: $6 types  $7 actor
-- In one stream the order of versions is the order of positions.
SELECT position, workspace, stream, version, type, schema, at, actor, command_id, causation, correlation,
       convert_to(data::text, 'UTF8') AS data, leaf, chain
FROM events
WHERE workspace = $4 AND stream = $5 AND position > $1 AND position < $2
  AND ($6::text[] IS NULL OR type = ANY ($6)) AND ($7::text IS NULL OR actor = $7)
ORDER BY version LIMIT $3
