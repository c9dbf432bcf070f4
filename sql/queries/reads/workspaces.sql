-- $1 position, $2 only these (null: all), $3 after this id, $4 limit
SELECT w.workspace AS id, w.version, w.time_zone, w.kind, w.created_at
FROM view_workspaces_1 AS k
CROSS JOIN LATERAL view_workspaces_1_at(k.workspace, $1) AS w
WHERE ($2::text[] IS NULL OR k.workspace = ANY ($2)) AND k.workspace > $3
ORDER BY k.workspace
LIMIT $4
