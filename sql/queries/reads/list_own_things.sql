-- What a customer's workspace has of its own; it counts as drift.
SELECT 'schedule' AS kind, s.id FROM public.view_schedules_1 AS k
CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
LEFT JOIN LATERAL public.view_managed_1_at(k.workspace, 'schedule', k.id, $2) AS m ON true
CROSS JOIN LATERAL public.view_workspaces_1_at(k.workspace, $2) AS p
WHERE k.workspace = $1 AND s.deleted_at IS NULL AND m.id IS NULL AND p.kind = 'customer'
UNION ALL
SELECT 'service', s.id FROM public.view_services_1 AS k
CROSS JOIN LATERAL public.view_services_1_at(k.workspace, k.id, $2) AS s
LEFT JOIN LATERAL public.view_managed_1_at(k.workspace, 'service', k.id, $2) AS m ON true
CROSS JOIN LATERAL public.view_workspaces_1_at(k.workspace, $2) AS p
WHERE k.workspace = $1 AND s.deleted_at IS NULL AND m.id IS NULL AND p.kind = 'customer'
UNION ALL
SELECT 'flow', s.id FROM public.view_flows_1 AS k
CROSS JOIN LATERAL public.view_flows_1_at(k.workspace, k.id, $2) AS s
LEFT JOIN LATERAL public.view_managed_1_at(k.workspace, 'flow', k.id, $2) AS m ON true
CROSS JOIN LATERAL public.view_workspaces_1_at(k.workspace, $2) AS p
WHERE k.workspace = $1 AND s.deleted_at IS NULL AND m.id IS NULL AND p.kind = 'customer'
ORDER BY 1, 2
LIMIT $3
