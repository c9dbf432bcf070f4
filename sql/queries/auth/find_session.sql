SELECT lookup, issuer, subject, position, id_token FROM public.sessions WHERE digest = $1 AND expires_at > $2
