SELECT f.integration, f.feature, f.status, f.since, f.set_by
FROM public.view_features_1 AS k
CROSS JOIN LATERAL public.view_features_1_at(k.workspace, k.integration, k.feature, $3) AS f
WHERE k.workspace = $1 AND k.integration = ANY($2::text[])
ORDER BY k.integration, k.feature
