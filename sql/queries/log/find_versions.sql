SELECT w.workspace, w.stream, coalesce(v.version, 0) AS version
FROM unnest($1::text[], $2::text[]) AS w (workspace, stream)
LEFT JOIN LATERAL (
    SELECT e.version FROM events e
    WHERE e.workspace = w.workspace AND e.stream = w.stream
    ORDER BY e.version DESC LIMIT 1
) v ON true
