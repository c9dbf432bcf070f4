SELECT public.extend_log()
