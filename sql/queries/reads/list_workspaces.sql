SELECT w.workspace AS id, w.version, w.time_zone, w.kind, w.created_at
FROM public.view_workspaces_1 AS k
CROSS JOIN LATERAL public.view_workspaces_1_at(k.workspace, $1) AS w
WHERE k.workspace > $2 AND ($3::text[] IS NULL OR k.workspace = ANY ($3))
ORDER BY k.workspace
LIMIT $4
