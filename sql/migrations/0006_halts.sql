-- migrate:up

-- What keeps owners from starting, and how many of their due moments wait. An ended pause or hold has no `since`; one
-- whose `until` has come is over as well.
CREATE TABLE public.view_pauses_1 (
    workspace     text COLLATE "C" NOT NULL,
    owner_kind    text COLLATE "C" NOT NULL,
    owner_id      text COLLATE "C" NOT NULL,
    since         timestamp with time zone,
    until         timestamp with time zone,
    note          text,
    paused_by     text,
    from_position bigint           NOT NULL,
    CONSTRAINT view_pauses_1_pkey PRIMARY KEY (workspace, owner_kind, owner_id)
);

-- The workspace `*` is the whole deployment.
CREATE TABLE public.view_holds_1 (
    workspace     text COLLATE "C" NOT NULL,
    since         timestamp with time zone,
    until         timestamp with time zone,
    note          text,
    held_by       text,
    from_position bigint           NOT NULL,
    CONSTRAINT view_holds_1_pkey PRIMARY KEY (workspace)
);

CREATE TABLE public.view_queues_1 (
    workspace     text COLLATE "C" NOT NULL,
    owner_kind    text COLLATE "C" NOT NULL,
    owner_id      text COLLATE "C" NOT NULL,
    waiting       integer          NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_queues_1_pkey PRIMARY KEY (workspace, owner_kind, owner_id)
) WITH (fillfactor = 80);

SELECT public.add_view_past(name) FROM unnest(ARRAY['view_pauses_1', 'view_holds_1', 'view_queues_1']) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_pauses_1', 'view_pauses_1_past', 'view_holds_1', 'view_holds_1_past',
                                'view_queues_1', 'view_queues_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_pauses_1_at, public.view_holds_1_at, public.view_queues_1_at;
DROP TABLE public.view_pauses_1, public.view_pauses_1_past, public.view_holds_1, public.view_holds_1_past,
    public.view_queues_1, public.view_queues_1_past;
