-- Those that are over go, and of the person's others the oldest, beyond as many as one may have. A sign-in that led to
-- a session before leads to no other one.
WITH over AS (
    DELETE FROM public.sessions WHERE expires_at <= $7
), forgotten AS (
    DELETE FROM public.used_sign_ins WHERE expires_at <= $7
), used AS (
    INSERT INTO public.used_sign_ins (digest, expires_at) VALUES ($2, $8) ON CONFLICT DO NOTHING RETURNING digest
), too_many AS (
    DELETE FROM public.sessions
    WHERE digest IN (
        SELECT digest FROM public.sessions WHERE issuer = $3 AND subject = $4
        ORDER BY began_at DESC, digest OFFSET $10::bigint - 1
    ) AND EXISTS (SELECT FROM used)
)
INSERT INTO public.sessions (digest, issuer, subject, position, id_token, began_at, expires_at)
SELECT $1::bytea, $3, $4, $5::bigint, $6::text, $7, $9::timestamptz FROM used
RETURNING true
