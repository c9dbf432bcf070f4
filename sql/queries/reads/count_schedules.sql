-- As count_services, for each section of the page. What is managed is read once: most rows need none of it.
WITH managed AS (
    SELECT m.id, m.integration, m.feature, m.start_by, m.period_by FROM public.view_managed_1 AS m
    WHERE m.workspace = $1 AND m.kind = 'schedule' AND m.from_position <= $2
    UNION ALL
    SELECT m.id, m.integration, m.feature, m.start_by, m.period_by FROM public.view_managed_1 AS k
    CROSS JOIN LATERAL public.view_managed_1_at(k.workspace, k.kind, k.id, $2) AS m
    WHERE k.workspace = $1 AND k.kind = 'schedule' AND k.from_position > $2
), statuses AS (
    SELECT f.integration, f.feature, f.status FROM public.view_features_1 AS k
    CROSS JOIN LATERAL public.view_features_1_at(k.workspace, k.integration, k.feature, $2) AS f
    WHERE k.workspace = $1
)
SELECT section, count(*) AS count FROM (
    SELECT CASE WHEN m.id IS NULL THEN 'workspace' ELSE coalesce(f.status, 'off') END AS section
    FROM (
        SELECT s.id, s.description, s.active FROM public.view_schedules_1 AS s
        WHERE s.workspace = $1 AND s.from_position <= $2 AND s.deleted_at IS NULL
        UNION ALL
        SELECT s.id, s.description, s.active FROM public.view_schedules_1 AS k
        CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
        WHERE k.workspace = $1 AND k.from_position > $2 AND s.deleted_at IS NULL
    ) AS s
    LEFT JOIN managed AS m ON m.id = s.id
    LEFT JOIN statuses AS f ON f.integration = m.integration AND f.feature = m.feature
    WHERE ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.description), lower($3)) > 0)
          AND ($4::boolean IS NULL OR s.active = $4)
          AND ($5::text IS NULL OR m.feature = $5)
          AND ($6::boolean IS NULL
               OR (m.start_by IS NOT NULL OR m.period_by IS NOT NULL OR (m.id IS NULL AND coalesce((SELECT kind FROM public.view_workspaces_1_at($1, $2)), '') = 'customer')) = $6)
) AS schedules
GROUP BY section
