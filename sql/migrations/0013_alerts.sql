-- migrate:up

-- What of a schedule is watched for and who is told; none where `alerts` is null.
CREATE TABLE public.view_alerts_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    alerts        json,
    from_position bigint           NOT NULL,
    CONSTRAINT view_alerts_1_pkey PRIMARY KEY (workspace, id)
);

-- What was wrong with schedules: open, settled (it was over when it was found), recovered or dropped.
CREATE TABLE public.view_incidents_1 (
    workspace     text COLLATE "C"         NOT NULL,
    schedule      text COLLATE "C"         NOT NULL,
    incident      text COLLATE "C"         NOT NULL,
    alert         text                     NOT NULL,
    state         text                     NOT NULL,
    since         timestamp with time zone NOT NULL,
    due           timestamp with time zone,
    last          timestamp with time zone,
    count         integer,
    reason        text,
    run           text,
    raised_at     timestamp with time zone NOT NULL,
    ended_at      timestamp with time zone,
    cause         text,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_incidents_1_pkey PRIMARY KEY (workspace, schedule, incident)
);

-- Messages on their way. `next_at` is when the next try may begin or, while one is under way, when it is over by itself.
CREATE TABLE public.view_notifications_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    kind          text                     NOT NULL,
    channel       text COLLATE "C"         NOT NULL,
    recipient     text COLLATE "C"         NOT NULL,
    subject_kind  text COLLATE "C"         NOT NULL,
    subject_id    text COLLATE "C"         NOT NULL,
    run           text,
    state         text                     NOT NULL,
    attempts      integer                  NOT NULL,
    ambiguous     integer                  NOT NULL,
    reason        text,
    detail        text,
    requested_at  timestamp with time zone NOT NULL,
    next_at       timestamp with time zone,
    ended_at      timestamp with time zone,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_notifications_1_pkey PRIMARY KEY (workspace, id)
);
CREATE INDEX view_notifications_1_due ON public.view_notifications_1 (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX view_notifications_1_newest ON public.view_notifications_1 (workspace, requested_at, id);

SELECT public.add_view_past(name) FROM unnest(ARRAY['view_alerts_1', 'view_incidents_1', 'view_notifications_1']) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_alerts_1', 'view_alerts_1_past', 'view_incidents_1', 'view_incidents_1_past',
                                'view_notifications_1', 'view_notifications_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- How far a follower that causes commands has come: a hint, for whatever it does again decides nothing.
CREATE TABLE public.follower_marks (
    name     text COLLATE "C" NOT NULL,
    position bigint           NOT NULL,
    CONSTRAINT follower_marks_pkey PRIMARY KEY (name)
);
REVOKE ALL ON public.follower_marks FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON public.follower_marks TO {{app_role}};

-- migrate:down

DROP TABLE public.follower_marks;
DROP FUNCTION public.view_alerts_1_at, public.view_incidents_1_at, public.view_notifications_1_at;
DROP TABLE public.view_alerts_1, public.view_alerts_1_past, public.view_incidents_1, public.view_incidents_1_past,
    public.view_notifications_1, public.view_notifications_1_past;
