SELECT s.id, s.version, s.description, s.active, s.cadence::text, s.policies::text, s.cadence_version, s.created_at,
       s.deleted_at, j.jobs::text, n.due, n.local, n.fold, n.asked, n.zone_data,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at,
       p.since AS paused_since, p.until AS paused_until, p.note AS pause_note, p.paused_by, q.waiting,
       a.set_by, a.actor AS activity_actor, a.at AS activity_at, a.from_position AS activity_position
FROM public.view_schedules_1 AS k
CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
CROSS JOIN LATERAL public.view_schedule_jobs_1_at(k.workspace, k.id, $2) AS j
CROSS JOIN LATERAL public.view_schedule_next_1_at(k.workspace, k.id, $2) AS n
LEFT JOIN LATERAL public.view_schedule_runs_1_at(k.workspace, k.id, $2) AS r ON true
LEFT JOIN LATERAL public.view_pauses_1_at(k.workspace, 'schedule', k.id, $2) AS p ON true
LEFT JOIN LATERAL public.view_queues_1_at(k.workspace, 'schedule', k.id, $2) AS q ON true
LEFT JOIN LATERAL public.view_activity_1_at(k.workspace, 'schedule', k.id, $2) AS a ON true
LEFT JOIN LATERAL public.view_managed_1_at(k.workspace, 'schedule', k.id, $2) AS m ON true
LEFT JOIN LATERAL public.view_features_1_at(k.workspace, m.integration, m.feature, $2) AS f ON true
WHERE k.workspace = $1 AND k.id > $3 AND s.deleted_at IS NULL
      AND ($5::text IS NULL OR strpos(lower(s.id || ' ' || s.description), lower($5)) > 0)
      AND ($6::boolean IS NULL OR s.active = $6)
      AND ($7::text IS NULL OR CASE WHEN m.id IS NULL THEN 'workspace' ELSE coalesce(f.status, 'off') END = $7)
      AND ($8::text IS NULL OR m.feature = $8)
      AND ($9::boolean IS NULL
           OR (m.start_by IS NOT NULL OR m.period_by IS NOT NULL OR (m.id IS NULL AND coalesce((SELECT kind FROM public.view_workspaces_1_at($1, $2)), '') = 'customer')) = $9)
ORDER BY k.id
LIMIT $4
