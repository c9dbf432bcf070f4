-- Who has a definition registered, and how far each is; $4 are the workspaces that the caller may see, NULL all.
SELECT r.registered_by AS workspace, i.active, i.synced, i.synced_at, i.failed, i.failed_at, i.failed_code,
       i.failed_detail, d.version AS newest,
       ARRAY(
           SELECT m.id FROM public.view_managed_1 AS k2
           CROSS JOIN LATERAL public.view_managed_1_at(k2.workspace, k2.kind, k2.id, $3) AS m
           WHERE k2.workspace = r.registered_by AND k2.integration = $2 AND k2.kind = 'schedule' AND m.removed IS NULL
                 AND (m.start_by IS NOT NULL OR m.period_by IS NOT NULL)
           ORDER BY m.id
       ) AS overridden,
       ARRAY(
           SELECT f.feature || ' ' || f.status FROM public.view_features_1 AS k3
           CROSS JOIN LATERAL public.view_features_1_at(k3.workspace, k3.integration, k3.feature, $3) AS f
           WHERE k3.workspace = r.registered_by AND k3.integration = $2
           ORDER BY f.feature
       ) AS features
FROM public.view_registrations_1 AS k
CROSS JOIN LATERAL public.view_registrations_1_at(k.workspace, k.definition, k.registered_by, $3) AS r
CROSS JOIN LATERAL public.view_integrations_1_at(k.registered_by, k.definition, $3) AS i
CROSS JOIN LATERAL public.view_definitions_1_at(k.workspace, k.definition, $3) AS d
WHERE k.workspace = $1 AND k.definition = $2 AND ($4::text[] IS NULL OR k.registered_by = ANY($4::text[]))
ORDER BY k.registered_by
