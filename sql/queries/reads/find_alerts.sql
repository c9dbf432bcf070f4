SELECT a.alerts::text FROM public.view_alerts_1_at($1, $2, $3) AS a
