-- The newest first; the status decides about `state`, so it is looked up for each run until the page is full.
SELECT r.id, r.owner_kind, r.owner_id, r.cause, r.cause_detail, r.due, r.missed_occurrences, r.missed_first, r.missed_last,
       r.resumes, r.opened_at, r.from_position, s.state, s.reason, s.started_at, s.ended_at, s.counts::text,
       l.stands_for, l.resumed_by
FROM public.view_runs_1 AS r
CROSS JOIN LATERAL public.view_run_status_1_at(r.workspace, r.id, $2) AS s
LEFT JOIN LATERAL public.view_run_links_1_at(r.workspace, r.id, $2) AS l ON true
WHERE r.workspace = $1 AND r.from_position <= $2
      AND r.opened_at >= coalesce($3::timestamptz, '-infinity') AND r.opened_at < coalesce($4::timestamptz, 'infinity')
      AND (r.opened_at, r.from_position) < (coalesce($5::timestamptz, 'infinity'), coalesce($6::bigint, 0))
      AND ($7::text IS NULL OR s.state = $7)
ORDER BY r.opened_at DESC, r.from_position DESC
LIMIT $8
