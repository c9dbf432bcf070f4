-- What comes of schedules, groups and Connect jobs, the first due first: $1 workspace, $2 position, $3 $4 kind and id of one owner, or
-- null, $5 before which instant, $6 how many. A schedule has a cadence, the others have a schedule of slots and may expire.
SELECT * FROM (
    SELECT 'schedule' AS owner_kind, k.id, s.cadence::text, NULL AS schedule, NULL::timestamptz AS expires_at, s.policies::text,
           s.cadence_version, n.due, n.local, n.fold, n.asked, n.zone_data, n.timing::text
    FROM public.view_schedules_1 AS k
    CROSS JOIN LATERAL public.view_schedule_next_1_at(k.workspace, k.id, $2) AS n
    CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND ($3::text IS NULL OR ($3 = 'schedule' AND k.id = $4::text))
          AND n.due < coalesce($5::timestamptz, 'infinity')
    UNION ALL
    SELECT coalesce(c.kind, k.kind), k.id, NULL, s.schedule::text, s.expires_at, s.policies::text,
           s.cadence_version, n.due, n.local, n.fold, n.asked, n.zone_data, n.timing::text
    FROM public.view_slot_owners_1 AS k
    CROSS JOIN LATERAL public.view_slot_next_1_at(k.workspace, k.kind, k.id, $2) AS n
    CROSS JOIN LATERAL public.view_slot_owners_1_at(k.workspace, k.kind, k.id, $2) AS s
    LEFT JOIN LATERAL public.view_connect_jobs_1_at(k.workspace, k.id, $2) AS c ON k.kind = 'job'
    WHERE k.workspace = $1 AND ($3::text IS NULL OR (coalesce(c.kind, k.kind) = $3 AND k.id = $4::text))
          AND n.due < coalesce($5::timestamptz, 'infinity')
) AS coming
ORDER BY due, owner_kind, id
LIMIT $6
