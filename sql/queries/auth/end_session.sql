DELETE FROM public.sessions WHERE digest = $1
