SELECT r.id, r.owner_kind, r.owner_id, r.cause, r.cause_detail, r.due, r.cadence_version, r.on_failure,
       r.missed_occurrences, r.missed_first, r.missed_last, r.resumes, r.opened_at, r.jobs::text,
       s.state, s.reason, s.stop_mode, s.term, s.instance, s.started_at, s.ended_at, s.counts::text,
       l.stands_for, l.resumed_by, coalesce(j.jobs, g.jobs)::text AS present_jobs
FROM public.view_runs_1 AS r
CROSS JOIN LATERAL public.view_run_status_1_at(r.workspace, r.id, $3) AS s
LEFT JOIN LATERAL public.view_run_links_1_at(r.workspace, r.id, $3) AS l ON true
LEFT JOIN LATERAL public.view_schedule_jobs_1_at(r.workspace, r.owner_id, $3) AS j ON r.owner_kind = 'schedule'
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('row', m.place, 'job', m.member -> 'job', 'seq', m.place, 'skip_wait', false)) AS jobs
    FROM public.view_groups_1_at(r.workspace, r.owner_id, $3) AS present
    CROSS JOIN LATERAL json_array_elements(present.members) WITH ORDINALITY AS m (member, place)
) AS g ON r.owner_kind = 'group'
WHERE r.workspace = $1 AND r.id = $2 AND r.from_position <= $3
