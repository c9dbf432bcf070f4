SELECT c.calendar, k.id AS schedule
FROM public.view_schedules_1 AS k
CROSS JOIN LATERAL (
    SELECT k.policies, k.deleted_at WHERE k.from_position <= $3
    UNION ALL
    SELECT x.policies, x.deleted_at FROM public.view_schedules_1_at(k.workspace, k.id, $3) AS x
    WHERE k.from_position > $3
) AS s
CROSS JOIN LATERAL json_array_elements_text(s.policies -> 'calendars') AS c (calendar)
WHERE k.workspace = $1 AND s.deleted_at IS NULL AND c.calendar = ANY ($2::text[])
ORDER BY k.id
