SELECT r.owner_kind, r.owner_id, count(*)
FROM public.view_run_status_1 AS s
JOIN public.view_runs_1 AS r USING (workspace, id)
WHERE s.workspace = $1 AND s.ended_at IS NULL
GROUP BY r.owner_kind, r.owner_id
