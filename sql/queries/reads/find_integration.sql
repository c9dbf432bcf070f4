SELECT i.id, i.version, i.definition_workspace, i.active, i.configuration::text, i.registered_at,
       i.synced, i.synced_at, i.failed, i.failed_at, i.failed_code, i.failed_detail,
       d.version AS newest, d.content::text
FROM public.view_integrations_1_at($1, $2, $3) AS i
CROSS JOIN LATERAL public.view_definitions_1_at(i.definition_workspace, i.id, $3) AS d
