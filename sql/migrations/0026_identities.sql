-- migrate:up

-- Whom an identity provider knows a member as, of those who may sign in by it.
CREATE TABLE public.view_member_identities_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    issuer        text,
    subject       text,
    from_position bigint           NOT NULL,
    CONSTRAINT view_member_identities_1_pkey PRIMARY KEY (workspace, id)
);

SELECT public.add_view_past('view_member_identities_1');

-- A session is a key's, or a person's whom an identity provider knows: `position` is what was known of them when it began.
-- `id_token` is what the provider wants to see when they sign out.
ALTER TABLE public.sessions
    ALTER COLUMN lookup DROP NOT NULL,
    ADD COLUMN issuer text,
    ADD COLUMN subject text,
    ADD COLUMN position bigint,
    ADD COLUMN id_token text,
    ADD CONSTRAINT sessions_of_one CHECK (
        num_nulls(issuer, subject, position) = CASE WHEN lookup IS NULL THEN 0 ELSE 3 END
    );
CREATE INDEX sessions_subject ON public.sessions (subject, issuer, began_at);

-- Sign-ins by an identity provider that led to a session: none does twice. `digest` is the SHA-256 of a sign-in's secret.
CREATE TABLE public.used_sign_ins (
    digest     bytea                    NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT used_sign_ins_pkey PRIMARY KEY (digest)
);
CREATE INDEX used_sign_ins_expires_at ON public.used_sign_ins (expires_at);

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_member_identities_1', 'view_member_identities_1_past', 'used_sign_ins'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP TABLE public.used_sign_ins;
DELETE FROM public.sessions WHERE lookup IS NULL;
ALTER TABLE public.sessions
    ALTER COLUMN lookup SET NOT NULL,
    DROP COLUMN issuer,
    DROP COLUMN subject,
    DROP COLUMN position,
    DROP COLUMN id_token;
DROP FUNCTION public.view_member_identities_1_at;
DROP TABLE public.view_member_identities_1, public.view_member_identities_1_past;
