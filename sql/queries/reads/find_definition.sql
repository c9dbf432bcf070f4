SELECT cadence::text, policies::text FROM public.view_schedules_1_at($1, $2, $3)
