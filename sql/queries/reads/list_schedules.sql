-- Which schedules are on a page is found first, all that is shown of them for these alone. What is managed is read once, and
-- only where something is asked for that has to do with it.
WITH managed AS MATERIALIZED (
    SELECT m.id, m.feature, coalesce(f.status, 'off') AS section, m.start_by IS NOT NULL OR m.period_by IS NOT NULL AS drifts
    FROM (
        SELECT x.id, x.integration, x.feature, x.start_by, x.period_by FROM public.view_managed_1 AS x
        WHERE x.workspace = $1 AND x.kind = 'schedule' AND x.from_position <= $2
        UNION ALL
        SELECT x.id, x.integration, x.feature, x.start_by, x.period_by FROM public.view_managed_1 AS k
        CROSS JOIN LATERAL public.view_managed_1_at(k.workspace, k.kind, k.id, $2) AS x
        WHERE k.workspace = $1 AND k.kind = 'schedule' AND k.from_position > $2
    ) AS m
    LEFT JOIN (
        SELECT f.integration, f.feature, f.status FROM public.view_features_1 AS k
        CROSS JOIN LATERAL public.view_features_1_at(k.workspace, k.integration, k.feature, $2) AS f
        WHERE k.workspace = $1
    ) AS f ON f.integration = m.integration AND f.feature = m.feature
)
SELECT s.id, s.version, s.description, s.active, s.cadence::text, s.policies::text, s.cadence_version, s.created_at,
       s.deleted_at, j.jobs::text, n.due, n.local, n.fold, n.asked, n.zone_data,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at,
       p.since AS paused_since, p.until AS paused_until, p.note AS pause_note, p.paused_by, q.waiting,
       a.set_by, a.actor AS activity_actor, a.at AS activity_at, a.from_position AS activity_position
FROM (
    SELECT k.id
    FROM public.view_schedules_1 AS k
    CROSS JOIN LATERAL (
        SELECT k.description, k.active, k.deleted_at WHERE k.from_position <= $2
        UNION ALL
        SELECT x.description, x.active, x.deleted_at FROM public.view_schedules_1_at(k.workspace, k.id, $2) AS x
        WHERE k.from_position > $2
    ) AS s
    WHERE k.workspace = $1 AND k.id > $3 AND s.deleted_at IS NULL
          AND ($5::text IS NULL OR strpos(lower(k.id || ' ' || s.description), lower($5)) > 0)
          AND ($6::boolean IS NULL OR s.active = $6)
          AND CASE $7::text
              WHEN 'workspace' THEN k.id NOT IN (SELECT id FROM managed)
              ELSE $7 IS NULL OR k.id IN (SELECT id FROM managed WHERE section = $7)
          END
          AND ($8::text IS NULL OR k.id IN (SELECT id FROM managed WHERE feature = $8))
          AND ($9::boolean IS NULL
               OR (k.id IN (SELECT id FROM managed WHERE drifts) OR (k.id NOT IN (SELECT id FROM managed) AND coalesce((SELECT kind FROM public.view_workspaces_1_at($1, $2)), '') = 'customer')) = $9)
    ORDER BY k.id
    LIMIT $4
) AS k
CROSS JOIN LATERAL public.view_schedules_1_at($1, k.id, $2) AS s
CROSS JOIN LATERAL public.view_schedule_jobs_1_at($1, k.id, $2) AS j
CROSS JOIN LATERAL public.view_schedule_next_1_at($1, k.id, $2) AS n
LEFT JOIN LATERAL public.view_schedule_runs_1_at($1, k.id, $2) AS r ON true
LEFT JOIN LATERAL public.view_pauses_1_at($1, 'schedule', k.id, $2) AS p ON true
LEFT JOIN LATERAL public.view_queues_1_at($1, 'schedule', k.id, $2) AS q ON true
LEFT JOIN LATERAL public.view_activity_1_at($1, 'schedule', k.id, $2) AS a ON true
ORDER BY k.id
