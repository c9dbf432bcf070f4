SELECT lookup FROM public.sessions WHERE digest = $1 AND expires_at > $2
