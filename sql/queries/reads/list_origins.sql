SELECT w.id, m.integration, m.feature, m.features::text, m.definition_version, m.cadence::text,
       m.start_by, m.start_at, m.start_position, m.period_by, m.period_at, m.period_position, m.removed,
       coalesce(f.status, 'off') AS feature_status, j.statuses AS job_statuses, i.active AS integration_active,
       p.kind = 'customer' AS customer
FROM unnest($3::text[]) AS w (id)
LEFT JOIN LATERAL public.view_managed_1_at($1, $2, w.id, $4) AS m ON true
LEFT JOIN LATERAL public.view_features_1_at($1, m.integration, m.feature, $4) AS f ON true
LEFT JOIN LATERAL (
    SELECT array_agg(coalesce(o.status, 'off')) AS statuses
    FROM json_array_elements_text(m.features) AS e (feature)
    LEFT JOIN LATERAL public.view_features_1_at($1, m.integration, e.feature, $4) AS o ON true
    WHERE $2 <> 'schedule'
) AS j ON true
LEFT JOIN LATERAL public.view_integrations_1_at($1, m.integration, $4) AS i ON true
LEFT JOIN LATERAL public.view_workspaces_1_at($1, $4) AS p ON true
