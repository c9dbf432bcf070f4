SELECT workspace, id, instance, term
FROM view_run_status_1
WHERE ended_at IS NULL
