-- As count_services.
SELECT count(*) FROM (
    SELECT s.id FROM public.view_schedules_1 AS s
    WHERE s.workspace = $1 AND s.from_position <= $2 AND s.deleted_at IS NULL
          AND ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.description), lower($3)) > 0)
          AND ($4::boolean IS NULL OR s.active = $4)
    UNION ALL
    SELECT s.id FROM public.view_schedules_1 AS k
    CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND k.from_position > $2 AND s.deleted_at IS NULL
          AND ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.description), lower($3)) > 0)
          AND ($4::boolean IS NULL OR s.active = $4)
) AS schedules
