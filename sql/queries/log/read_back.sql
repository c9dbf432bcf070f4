-- $1 before  $2 limit  $3 workspace  $4 stream  $5 types; the last fact first
-- In one stream the order of versions is the order of positions.
SELECT position, workspace, stream, version, type, schema, at, actor, command_id, causation, correlation,
       convert_to(data::text, 'UTF8') AS data, leaf, chain
FROM events
WHERE workspace = $3 AND stream = $4 AND position < $1 AND type = ANY ($5)
ORDER BY version DESC LIMIT $2
