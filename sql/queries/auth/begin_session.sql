-- Those that are over go, and of the key's others the oldest, beyond as many as it may have.
WITH over AS (
    DELETE FROM public.sessions WHERE expires_at <= $3
), too_many AS (
    DELETE FROM public.sessions
    WHERE digest IN (SELECT digest FROM public.sessions WHERE lookup = $2 ORDER BY began_at DESC, digest OFFSET $5::bigint - 1)
)
INSERT INTO public.sessions (digest, lookup, began_at, expires_at) VALUES ($1, $2, $3, $4)
