-- migrate:up

-- Who signed in from a browser, with which key. No facts: nothing is decided from them, and each is over after hours.
-- `digest` is the SHA-256 of what the cookie holds, which is kept nowhere.
CREATE TABLE public.sessions (
    digest     bytea                    NOT NULL,
    lookup     text COLLATE "C"         NOT NULL,
    began_at   timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (digest)
);
CREATE INDEX sessions_lookup ON public.sessions (lookup, began_at);
CREATE INDEX sessions_expires_at ON public.sessions (expires_at);

REVOKE ALL ON public.sessions FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON public.sessions TO {{app_role}};

-- migrate:down

DROP TABLE public.sessions;
