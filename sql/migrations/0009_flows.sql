-- migrate:up

CREATE TABLE public.view_flows_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    name          text                     NOT NULL,
    trigger       text                     NOT NULL,
    handler       text                     NOT NULL,
    config        json                     NOT NULL,
    policy        json                     NOT NULL,
    exclusive     boolean                  NOT NULL,
    active        boolean                  NOT NULL,
    created_at    timestamp with time zone NOT NULL,
    deleted_at    timestamp with time zone,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_flows_1_pkey PRIMARY KEY (workspace, id)
);

CREATE TABLE public.view_flow_uses_1 (
    workspace     text COLLATE "C" NOT NULL,
    flow          text COLLATE "C" NOT NULL,
    schedule      text COLLATE "C" NOT NULL,
    attached      boolean          NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_flow_uses_1_pkey PRIMARY KEY (workspace, flow, schedule)
);

CREATE TABLE public.view_flow_runs_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    open_run      text,
    last_run      text,
    last_state    text,
    last_reason   text,
    last_ended_at timestamp with time zone,
    from_position bigint           NOT NULL,
    CONSTRAINT view_flow_runs_1_pkey PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

-- The Connector/Module/Type of those services that have one.
CREATE TABLE public.view_service_types_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    type          text,
    from_position bigint           NOT NULL,
    CONSTRAINT view_service_types_1_pkey PRIMARY KEY (workspace, id)
);

SELECT public.add_view_past(name)
FROM unnest(ARRAY['view_flows_1', 'view_flow_uses_1', 'view_flow_runs_1', 'view_service_types_1']) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_flows_1', 'view_flows_1_past', 'view_flow_uses_1', 'view_flow_uses_1_past',
                                'view_flow_runs_1', 'view_flow_runs_1_past',
                                'view_service_types_1', 'view_service_types_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_flows_1_at, public.view_flow_uses_1_at, public.view_flow_runs_1_at,
    public.view_service_types_1_at;
DROP TABLE public.view_flows_1, public.view_flows_1_past, public.view_flow_uses_1, public.view_flow_uses_1_past,
    public.view_flow_runs_1, public.view_flow_runs_1_past, public.view_service_types_1,
    public.view_service_types_1_past;
