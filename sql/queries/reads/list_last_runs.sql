SELECT r.id, r.jobs::text, l.resumed_by
FROM public.view_runs_1 AS r
LEFT JOIN LATERAL public.view_run_links_1_at(r.workspace, r.id, $3) AS l ON true
WHERE r.workspace = $1 AND r.id = ANY($2::text[]) AND r.from_position <= $3
