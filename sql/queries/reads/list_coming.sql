-- What comes of schedules, groups and Connect jobs, the first due first: $1 workspace, $2 position, $3 $4 kind and id of one owner, or
-- null, $5 before which instant, $6 how many. A schedule has a cadence, the others have a schedule of slots and may expire.
-- First who is due first is found, by rows of the present as far as they stood then; only then what they are.
WITH stood AS (
    SELECT 'schedule' AS kind, id, due, local, fold, asked, zone_data, timing
    FROM public.view_schedule_next_1 WHERE workspace = $1 AND from_position <= $2
    UNION ALL
    SELECT 'schedule', k.id, n.due, n.local, n.fold, n.asked, n.zone_data, n.timing
    FROM public.view_schedule_next_1 AS k
    CROSS JOIN LATERAL (
        SELECT * FROM public.view_schedule_next_1_past
        WHERE workspace = $1 AND id = k.id AND to_position > $2
        ORDER BY to_position
        LIMIT 1
    ) AS n
    WHERE k.workspace = $1 AND k.from_position > $2 AND n.from_position <= $2
    UNION ALL
    SELECT kind, id, due, local, fold, asked, zone_data, timing
    FROM public.view_slot_next_1 WHERE workspace = $1 AND from_position <= $2
    UNION ALL
    SELECT k.kind, k.id, n.due, n.local, n.fold, n.asked, n.zone_data, n.timing
    FROM public.view_slot_next_1 AS k
    CROSS JOIN LATERAL (
        SELECT * FROM public.view_slot_next_1_past
        WHERE workspace = $1 AND kind = k.kind AND id = k.id AND to_position > $2
        ORDER BY to_position
        LIMIT 1
    ) AS n
    WHERE k.workspace = $1 AND k.from_position > $2 AND n.from_position <= $2
), first AS MATERIALIZED (
    SELECT * FROM stood
    WHERE due < coalesce($5::timestamptz, 'infinity')
          AND ($3::text IS NULL OR (id = $4::text AND kind IN ($3, 'job')))
    ORDER BY due, kind, id
    LIMIT $6
)
SELECT f.kind AS owner_kind, f.id, s.cadence::text, NULL AS schedule, NULL::timestamptz AS expires_at, s.policies::text,
       s.cadence_version, f.due, f.local, f.fold, f.asked, f.zone_data, f.timing::text
FROM first AS f
CROSS JOIN LATERAL public.view_schedules_1_at($1, f.id, $2) AS s
WHERE f.kind = 'schedule'
UNION ALL
SELECT coalesce(c.kind, f.kind), f.id, NULL, s.schedule::text, s.expires_at, s.policies::text,
       s.cadence_version, f.due, f.local, f.fold, f.asked, f.zone_data, f.timing::text
FROM first AS f
CROSS JOIN LATERAL public.view_slot_owners_1_at($1, f.kind, f.id, $2) AS s
LEFT JOIN LATERAL public.view_connect_jobs_1_at($1, f.id, $2) AS c ON f.kind = 'job'
WHERE f.kind <> 'schedule' AND ($3::text IS NULL OR coalesce(c.kind, f.kind) = $3)
ORDER BY due, owner_kind, id
