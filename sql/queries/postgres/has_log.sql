SELECT to_regclass('public.events') IS NOT NULL
