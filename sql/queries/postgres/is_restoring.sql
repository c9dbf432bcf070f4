SELECT to_regclass('public.eventjobs_restoring') IS NOT NULL
