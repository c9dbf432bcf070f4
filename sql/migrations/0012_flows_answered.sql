-- migrate:up

-- The key that signs the callbacks of suspended flows: one a database, drawn once, the same for every instance.
CREATE TABLE public.callback_key (
    one boolean NOT NULL DEFAULT true CHECK (one),
    key bytea   NOT NULL,
    CONSTRAINT callback_key_pkey PRIMARY KEY (one)
);
INSERT INTO public.callback_key (key)
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

-- How tries of flows went on elsewhere, and what their callbacks said.
CREATE TABLE public.view_suspensions_1 (
    workspace     text COLLATE "C" NOT NULL,
    run           text COLLATE "C" NOT NULL,
    "row"         integer          NOT NULL,
    attempt       integer          NOT NULL,
    waits_for     text,
    since         timestamp with time zone,
    released_at   timestamp with time zone,
    answered_at   timestamp with time zone,
    answer        json,
    from_position bigint           NOT NULL,
    CONSTRAINT view_suspensions_1_pkey PRIMARY KEY (workspace, run, "row", attempt)
) WITH (fillfactor = 80);

SELECT public.add_view_past('view_suspensions_1');

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_suspensions_1', 'view_suspensions_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
    EXECUTE 'REVOKE ALL ON public.callback_key FROM PUBLIC';
    EXECUTE 'GRANT SELECT ON public.callback_key TO ' || $role${{app_role}}$role$;
END
$$;

-- migrate:down

DROP FUNCTION public.view_suspensions_1_at;
DROP TABLE public.view_suspensions_1, public.view_suspensions_1_past, public.callback_key;
