SELECT r.id, r.owner_kind, r.owner_id, r.cause, r.cause_detail, r.due, r.cadence_version, r.on_failure,
       r.missed_occurrences, r.missed_first, r.missed_last, r.resumes, r.opened_at, r.jobs::text,
       s.state, s.reason, s.stop_mode, s.term, s.instance, s.started_at, s.ended_at, s.counts::text
FROM public.view_runs_1 AS r
CROSS JOIN LATERAL public.view_run_status_1_at(r.workspace, r.id, $3) AS s
WHERE r.workspace = $1 AND r.id = $2 AND r.from_position <= $3
