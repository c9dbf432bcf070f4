-- migrate:up

-- How many moments of each quarter of an hour have which outcome: days of every zone begin at one, so each is a sum of these.
CREATE TABLE public.view_outcomes_1 (
    workspace     text COLLATE "C"         NOT NULL,
    quarter       timestamp with time zone NOT NULL,
    outcome       text COLLATE "C"         NOT NULL,
    count         integer                  NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_outcomes_1_pkey PRIMARY KEY (workspace, quarter, outcome)
) WITH (fillfactor = 50);

-- The single moments that did not go well, by when they were due.
CREATE TABLE public.view_troubles_1 (
    workspace       text COLLATE "C"         NOT NULL,
    outcome         text COLLATE "C"         NOT NULL,
    due             timestamp with time zone NOT NULL,
    id              text COLLATE "C"         NOT NULL,
    owner_kind      text COLLATE "C"         NOT NULL,
    owner_id        text COLLATE "C"         NOT NULL,
    cadence_version integer                  NOT NULL,
    ran             boolean                  NOT NULL,
    reason          text,
    from_position   bigint                   NOT NULL,
    CONSTRAINT view_troubles_1_pkey PRIMARY KEY (workspace, outcome, due, id)
);
CREATE INDEX view_troubles_1_owner_idx ON public.view_troubles_1 (workspace, owner_kind, owner_id, outcome, due);

DROP INDEX public.view_occurrences_1_not_run_idx, public.view_run_status_1_ended_badly_idx;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_outcomes_1', 'view_troubles_1'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

CREATE INDEX view_occurrences_1_not_run_idx ON public.view_occurrences_1 (workspace, due, id) WHERE outcome <> 'ran';
CREATE INDEX view_run_status_1_ended_badly_idx
    ON public.view_run_status_1 (workspace, ended_at, id) WHERE state <> 'succeeded' AND ended_at IS NOT NULL;
DROP TABLE public.view_outcomes_1, public.view_troubles_1;
