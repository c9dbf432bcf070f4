SELECT k.id, s.cadence::text, s.policies::text, s.cadence_version, n.due, n.local, n.fold, n.asked, n.zone_data, n.timing::text
FROM public.view_schedules_1 AS k
CROSS JOIN LATERAL public.view_schedule_next_1_at(k.workspace, k.id, $2) AS n
CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
WHERE k.workspace = $1 AND ($3::text IS NULL OR k.id = $3) AND n.due < coalesce($4::timestamptz, 'infinity')
ORDER BY n.due, k.id
LIMIT $5
