SELECT kind FROM public.view_connect_jobs_1_at($1, $2, $3)
