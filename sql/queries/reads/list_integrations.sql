SELECT i.id, i.version, i.definition_workspace, i.active, i.configuration::text, i.registered_at,
       i.synced, i.synced_at, i.failed, i.failed_at, i.failed_code, i.failed_detail,
       d.version AS newest, d.content::text
FROM public.view_integrations_1 AS k
CROSS JOIN LATERAL public.view_integrations_1_at(k.workspace, k.id, $2) AS i
CROSS JOIN LATERAL public.view_definitions_1_at(i.definition_workspace, i.id, $2) AS d
WHERE k.workspace = $1 AND k.id > $3
ORDER BY k.id
LIMIT $4
