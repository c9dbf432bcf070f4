-- migrate:up

-- What the rows of the Jobs page say besides: what set a schedule's activity, and which run has a job for itself. A turn
-- that was given up has no `run`.
CREATE TABLE public.view_activity_1 (
    workspace     text COLLATE "C"         NOT NULL,
    owner_kind    text COLLATE "C"         NOT NULL,
    owner_id      text COLLATE "C"         NOT NULL,
    active        boolean                  NOT NULL,
    set_by        text                     NOT NULL,
    actor         text                     NOT NULL,
    at            timestamp with time zone NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_activity_1_pkey PRIMARY KEY (workspace, owner_kind, owner_id)
);

CREATE TABLE public.view_turns_1 (
    workspace     text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    run           text,
    "row"         integer,
    from_position bigint           NOT NULL,
    CONSTRAINT view_turns_1_pkey PRIMARY KEY (workspace, kind, id)
) WITH (fillfactor = 80);

SELECT public.add_view_past(name) FROM unnest(ARRAY['view_activity_1', 'view_turns_1']) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_activity_1', 'view_activity_1_past', 'view_turns_1', 'view_turns_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_activity_1_at, public.view_turns_1_at;
DROP TABLE public.view_activity_1, public.view_activity_1_past, public.view_turns_1, public.view_turns_1_past;
