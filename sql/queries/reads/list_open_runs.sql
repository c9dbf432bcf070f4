SELECT workspace, id, instance, term FROM public.view_run_status_1 WHERE ended_at IS NULL
