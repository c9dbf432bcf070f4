SELECT workspace, id FROM public.view_alerts_1 WHERE alerts IS NOT NULL
