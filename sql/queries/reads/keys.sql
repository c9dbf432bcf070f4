-- $1 workspace, $2 position, $3 after this id, $4 limit. No secret, and no digest of one.
SELECT
    y.id, y.version, y.roles::text AS roles, y.workspaces::text AS workspaces, y.read_only, y.expires_at, y.issued_at,
    y.issued_by, y.revoked_at
FROM view_keys_1 AS k
CROSS JOIN LATERAL view_keys_1_at(k.workspace, k.id, $2) AS y
WHERE k.workspace = $1 AND k.id > $3
ORDER BY k.id
LIMIT $4
