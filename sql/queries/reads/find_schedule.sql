SELECT s.id, s.version, s.description, s.active, s.cadence::text, s.policies::text, s.cadence_version, s.created_at,
       s.deleted_at, j.jobs::text, n.due, n.local, n.fold, n.asked, n.zone_data,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at,
       p.since AS paused_since, p.until AS paused_until, p.note AS pause_note, p.paused_by, q.waiting,
       a.set_by, a.actor AS activity_actor, a.at AS activity_at, a.from_position AS activity_position
FROM public.view_schedules_1_at($1, $2, $3) AS s
CROSS JOIN LATERAL public.view_schedule_jobs_1_at($1, $2, $3) AS j
CROSS JOIN LATERAL public.view_schedule_next_1_at($1, $2, $3) AS n
LEFT JOIN LATERAL public.view_schedule_runs_1_at($1, $2, $3) AS r ON true
LEFT JOIN LATERAL public.view_pauses_1_at($1, 'schedule', $2, $3) AS p ON true
LEFT JOIN LATERAL public.view_queues_1_at($1, 'schedule', $2, $3) AS q ON true
LEFT JOIN LATERAL public.view_activity_1_at($1, 'schedule', $2, $3) AS a ON true
