-- $1 after  $2 before  $3 limit; then filters, null for none: $4 stream  $5 types  $6 actor
SELECT position, workspace, stream, version, type, schema, at, actor, command_id, causation, correlation,
       convert_to(data::text, 'UTF8') AS data, leaf, chain
FROM events
WHERE position > $1 AND position < $2
  AND ($4::text IS NULL OR stream = $4) AND ($5::text[] IS NULL OR type = ANY ($5)) AND ($6::text IS NULL OR actor = $6)
ORDER BY position LIMIT $3
