-- The facts of each stream after a version: $1 workspaces  $2 streams  $3 versions
SELECT e.position, e.workspace, e.stream, e.version, e.type, e.schema, e.at, e.actor, e.command_id, e.causation,
       e.correlation, convert_to(e.data::text, 'UTF8') AS data, e.leaf, e.chain
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (workspace, stream, after)
CROSS JOIN LATERAL (
    SELECT * FROM events s
    WHERE s.workspace = w.workspace AND s.stream = w.stream AND s.version > w.after
    ORDER BY s.version
) e
