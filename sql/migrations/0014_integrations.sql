-- migrate:up

-- Definitions in the workspaces that publish them, who has them registered, and registrations with their features.
CREATE TABLE public.view_definitions_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    content       json                     NOT NULL,
    published_at  timestamp with time zone NOT NULL,
    published_by  text                     NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_definitions_1_pkey PRIMARY KEY (workspace, id)
);

CREATE TABLE public.view_registrations_1 (
    workspace     text COLLATE "C"         NOT NULL,
    definition    text COLLATE "C"         NOT NULL,
    registered_by text COLLATE "C"         NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_registrations_1_pkey PRIMARY KEY (workspace, definition, registered_by)
);

CREATE TABLE public.view_integrations_1 (
    workspace            text COLLATE "C"         NOT NULL,
    id                   text COLLATE "C"         NOT NULL,
    version              integer                  NOT NULL,
    definition_workspace text COLLATE "C"         NOT NULL,
    active               boolean                  NOT NULL,
    configuration        json                     NOT NULL,
    registered_at        timestamp with time zone NOT NULL,
    synced               integer,
    synced_at            timestamp with time zone,
    failed               integer,
    failed_at            timestamp with time zone,
    failed_code          text,
    failed_detail        text,
    from_position        bigint                   NOT NULL,
    CONSTRAINT view_integrations_1_pkey PRIMARY KEY (workspace, id)
);

CREATE TABLE public.view_features_1 (
    workspace     text COLLATE "C"         NOT NULL,
    integration   text COLLATE "C"         NOT NULL,
    feature       text COLLATE "C"         NOT NULL,
    status        text                     NOT NULL,
    since         timestamp with time zone NOT NULL,
    set_by        text                     NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_features_1_pkey PRIMARY KEY (workspace, integration, feature)
);

-- What an integration manages. Of a schedule: the cadence that its definition gives it, and which of its bundles were set
-- here, by whom. `removed` is `asked` (deleted here) or `archived` (the definition has it no more).
CREATE TABLE public.view_managed_1 (
    workspace          text COLLATE "C" NOT NULL,
    kind               text COLLATE "C" NOT NULL,
    id                 text COLLATE "C" NOT NULL,
    managed            boolean          NOT NULL,
    integration        text COLLATE "C" NOT NULL,
    features           json             NOT NULL,
    feature            text COLLATE "C",
    definition_version integer          NOT NULL,
    cadence            json,
    start_by           text,
    start_at           timestamp with time zone,
    start_position     bigint,
    period_by          text,
    period_at          timestamp with time zone,
    period_position    bigint,
    removed            text,
    from_position      bigint           NOT NULL,
    CONSTRAINT view_managed_1_pkey PRIMARY KEY (workspace, kind, id)
);
CREATE INDEX view_managed_1_integration_idx ON public.view_managed_1 (workspace, integration, kind, id);

SELECT public.add_view_past(name) FROM unnest(ARRAY[
    'view_definitions_1', 'view_registrations_1', 'view_integrations_1', 'view_features_1', 'view_managed_1'
]) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_definitions_1', 'view_definitions_1_past', 'view_registrations_1',
                                'view_registrations_1_past', 'view_integrations_1', 'view_integrations_1_past',
                                'view_features_1', 'view_features_1_past', 'view_managed_1', 'view_managed_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_definitions_1_at, public.view_registrations_1_at, public.view_integrations_1_at,
    public.view_features_1_at, public.view_managed_1_at;
DROP TABLE public.view_definitions_1, public.view_definitions_1_past, public.view_registrations_1,
    public.view_registrations_1_past, public.view_integrations_1, public.view_integrations_1_past,
    public.view_features_1, public.view_features_1_past, public.view_managed_1, public.view_managed_1_past;
