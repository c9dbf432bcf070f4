-- $1 workspaces, $2 streams (pairs), $3 code version
SELECT kept.workspace, kept.stream, kept.version, kept.state::text AS state
FROM unnest($1::text[], $2::text[]) AS wanted (workspace, stream)
JOIN snapshots AS kept
    ON kept.workspace = wanted.workspace AND kept.stream = wanted.stream AND kept.code_version = $3
