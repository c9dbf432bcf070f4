-- migrate:up

-- Groups and Connect jobs as whom they have due moments: their definition, what is due next, and their runs. `kind` is that
-- of their stream, `group` or `job`.
CREATE TABLE public.view_slot_owners_1 (
    workspace       text COLLATE "C"         NOT NULL,
    kind            text COLLATE "C"         NOT NULL,
    id              text COLLATE "C"         NOT NULL,
    version         integer                  NOT NULL,
    name            text                     NOT NULL,
    description     text                     NOT NULL,
    drafted         boolean                  NOT NULL,
    active          boolean                  NOT NULL,
    schedule        json                     NOT NULL,
    notification    json                     NOT NULL,
    policies        json                     NOT NULL,
    on_expiry       text                     NOT NULL,
    cadence_version integer                  NOT NULL,
    created_at      timestamp with time zone NOT NULL,
    deleted_at      timestamp with time zone,
    expires_on      text,
    expires_at      timestamp with time zone,
    expired         boolean                  NOT NULL,
    from_position   bigint                   NOT NULL,
    CONSTRAINT view_slot_owners_1_pkey PRIMARY KEY (workspace, kind, id)
);

CREATE TABLE public.view_slot_next_1 (
    workspace     text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    due           timestamp with time zone,
    local         text,
    fold          integer,
    asked         text,
    zone_data     text,
    timing        json,
    from_position bigint           NOT NULL,
    CONSTRAINT view_slot_next_1_pkey PRIMARY KEY (workspace, kind, id)
) WITH (fillfactor = 80);

CREATE TABLE public.view_slot_runs_1 (
    workspace     text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    open_run      text,
    last_run      text,
    last_state    text,
    last_reason   text,
    last_ended_at timestamp with time zone,
    from_position bigint           NOT NULL,
    CONSTRAINT view_slot_runs_1_pkey PRIMARY KEY (workspace, kind, id)
) WITH (fillfactor = 80);

-- The jobs of each group, in their order.
CREATE TABLE public.view_groups_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    members       json             NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_groups_1_pkey PRIMARY KEY (workspace, id)
);

-- What each Connect job does, and the group that it is in.
CREATE TABLE public.view_connect_jobs_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    subtype       text,
    handler       text             NOT NULL,
    config        json             NOT NULL,
    policy        json             NOT NULL,
    errors        json             NOT NULL,
    member_of     text COLLATE "C",
    from_position bigint           NOT NULL,
    CONSTRAINT view_connect_jobs_1_pkey PRIMARY KEY (workspace, id)
);

-- The job runs of Connect jobs, alone or in a group. How one ended never changes, so its `from_position` says since when.
CREATE TABLE public.view_connect_job_runs_1 (
    workspace     text COLLATE "C" NOT NULL,
    run           text COLLATE "C" NOT NULL,
    "row"         integer          NOT NULL,
    job           text COLLATE "C" NOT NULL,
    owner_kind    text COLLATE "C" NOT NULL,
    owner_id      text COLLATE "C" NOT NULL,
    cause         text             NOT NULL,
    state         text,
    ended_at      timestamp with time zone,
    from_position bigint           NOT NULL,
    CONSTRAINT view_connect_job_runs_1_pkey PRIMARY KEY (workspace, run, "row")
) WITH (fillfactor = 80);
CREATE INDEX view_connect_job_runs_1_ended_idx
    ON public.view_connect_job_runs_1 (workspace, ended_at, from_position) WHERE ended_at IS NOT NULL;
CREATE INDEX view_connect_job_runs_1_job_idx
    ON public.view_connect_job_runs_1 (workspace, job, ended_at, from_position) WHERE ended_at IS NOT NULL;

SELECT public.add_view_past(name) FROM unnest(ARRAY[
    'view_slot_owners_1', 'view_slot_next_1', 'view_slot_runs_1', 'view_groups_1', 'view_connect_jobs_1'
]) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY[
        'view_slot_owners_1', 'view_slot_owners_1_past', 'view_slot_next_1', 'view_slot_next_1_past', 'view_slot_runs_1',
        'view_slot_runs_1_past', 'view_groups_1', 'view_groups_1_past', 'view_connect_jobs_1', 'view_connect_jobs_1_past',
        'view_connect_job_runs_1'
    ] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_slot_owners_1_at, public.view_slot_next_1_at, public.view_slot_runs_1_at,
    public.view_groups_1_at, public.view_connect_jobs_1_at;
DROP TABLE public.view_slot_owners_1, public.view_slot_owners_1_past, public.view_slot_next_1,
    public.view_slot_next_1_past, public.view_slot_runs_1, public.view_slot_runs_1_past, public.view_groups_1,
    public.view_groups_1_past, public.view_connect_jobs_1, public.view_connect_jobs_1_past,
    public.view_connect_job_runs_1;
