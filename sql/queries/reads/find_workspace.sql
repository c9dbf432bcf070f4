SELECT workspace AS id, version, time_zone, kind, created_at FROM public.view_workspaces_1_at($1, $2)
