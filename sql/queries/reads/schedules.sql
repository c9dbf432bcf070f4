-- $1 workspace, $2 position, $3 id (null: a list), $4 after this id, $5 limit, $6 part of id or description, $7 active
-- Lists page over the present keys, and each row is read as of the position; deleted things are in no list.
SELECT
    s.id, s.version, s.description, s.active, s.cadence::text AS cadence, s.policies::text AS policies,
    s.cadence_version, s.created_at, s.deleted_at, j.jobs::text AS jobs,
    n.due, n.local, n.fold, n.asked, n.zone_data, n.timing::text AS timing,
    r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at
FROM view_schedules_1 AS k
CROSS JOIN LATERAL view_schedules_1_at(k.workspace, k.id, $2) AS s
LEFT JOIN LATERAL view_schedule_jobs_1_at(k.workspace, k.id, $2) AS j ON true
LEFT JOIN LATERAL view_schedule_next_1_at(k.workspace, k.id, $2) AS n ON true
LEFT JOIN LATERAL view_schedule_runs_1_at(k.workspace, k.id, $2) AS r ON true
WHERE
    k.workspace = $1
    AND ($3::text IS NULL OR k.id = $3)
    AND k.id > $4
    AND ($3 IS NOT NULL OR s.deleted_at IS NULL)
    AND ($6::text IS NULL OR strpos(lower(s.id || ' ' || s.description), lower($6)) > 0)
    AND ($7::boolean IS NULL OR s.active = $7)
ORDER BY k.id
LIMIT $5
