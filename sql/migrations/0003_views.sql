-- migrate:up

-- What projections build from the log; all of it can be thrown away and built again. A view's tables carry its version.
--
-- Three kinds of table, all with `from_position`, the event that wrote the row:
--   versioned   the present row of each key, and in `…_past` the closed rows [from_position, to_position), insert only
--   fixed       a row is written once and never changes (a run as it was opened, an answered occurrence)
--   current     only the present counts (timers)
-- Rows of versioned tables are marked, never removed: lists of the past page over the present keys.

CREATE TABLE public.view_checkpoints (
    name       text COLLATE "C"         NOT NULL,
    version    integer                  NOT NULL,
    position   bigint                   NOT NULL,
    chain      bytea                    NOT NULL,
    stopped_at bigint,
    reason     text,
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT view_checkpoints_pkey PRIMARY KEY (name, version)
) WITH (fillfactor = 50);

CREATE TABLE public.view_workspaces_1 (
    workspace     text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    time_zone     text                     NOT NULL,
    kind          text                     NOT NULL,
    created_at    timestamp with time zone NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_workspaces_1_pkey PRIMARY KEY (workspace)
);

CREATE TABLE public.view_keys_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    lookup        text                     NOT NULL,
    secret_sha256 text                     NOT NULL,
    roles         json                     NOT NULL,
    workspaces    json                     NOT NULL,
    read_only     boolean                  NOT NULL,
    expires_at    timestamp with time zone,
    issued_at     timestamp with time zone NOT NULL,
    issued_by     text                     NOT NULL,
    revoked_at    timestamp with time zone,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_keys_1_pkey PRIMARY KEY (workspace, id)
);

CREATE TABLE public.view_services_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    name          text                     NOT NULL,
    handler       text                     NOT NULL,
    config        json                     NOT NULL,
    policy        json                     NOT NULL,
    created_at    timestamp with time zone NOT NULL,
    deleted_at    timestamp with time zone,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_services_1_pkey PRIMARY KEY (workspace, id)
);

CREATE TABLE public.view_service_uses_1 (
    workspace     text COLLATE "C" NOT NULL,
    service       text COLLATE "C" NOT NULL,
    schedule      text COLLATE "C" NOT NULL,
    attached      boolean          NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_service_uses_1_pkey PRIMARY KEY (workspace, service, schedule)
);

CREATE TABLE public.view_service_runs_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    open_run      text,
    last_run      text,
    last_state    text,
    last_reason   text,
    last_ended_at timestamp with time zone,
    from_position bigint           NOT NULL,
    CONSTRAINT view_service_runs_1_pkey PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

CREATE TABLE public.view_schedules_1 (
    workspace       text COLLATE "C"         NOT NULL,
    id              text COLLATE "C"         NOT NULL,
    version         integer                  NOT NULL,
    description     text                     NOT NULL,
    active          boolean                  NOT NULL,
    cadence         json                     NOT NULL,
    policies        json                     NOT NULL,
    cadence_version integer                  NOT NULL,
    created_at      timestamp with time zone NOT NULL,
    deleted_at      timestamp with time zone,
    from_position   bigint                   NOT NULL,
    CONSTRAINT view_schedules_1_pkey PRIMARY KEY (workspace, id)
);

CREATE TABLE public.view_schedule_jobs_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    jobs          json             NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_schedule_jobs_1_pkey PRIMARY KEY (workspace, id)
);

-- Where the cadence stands: `local` is the zone's wall clock at `due`, `timing` what the rule counts from.
CREATE TABLE public.view_schedule_next_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    due           timestamp with time zone,
    local         text,
    fold          integer,
    asked         text,
    zone_data     text,
    timing        json             NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_schedule_next_1_pkey PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

CREATE TABLE public.view_schedule_runs_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    open_run      text,
    last_run      text,
    last_state    text,
    last_reason   text,
    last_ended_at timestamp with time zone,
    from_position bigint           NOT NULL,
    CONSTRAINT view_schedule_runs_1_pkey PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);

CREATE TABLE public.view_runs_1 (
    workspace          text COLLATE "C"         NOT NULL,
    id                 text COLLATE "C"         NOT NULL,
    owner_kind         text COLLATE "C"         NOT NULL,
    owner_id           text COLLATE "C"         NOT NULL,
    cause              text                     NOT NULL,
    cause_detail       text,
    due                timestamp with time zone,
    cadence_version    integer,
    on_failure         text                     NOT NULL,
    missed_occurrences integer                  NOT NULL,
    missed_first       timestamp with time zone,
    missed_last        timestamp with time zone,
    resumes            text,
    opened_at          timestamp with time zone NOT NULL,
    jobs               json                     NOT NULL,
    from_position      bigint                   NOT NULL,
    CONSTRAINT view_runs_1_pkey PRIMARY KEY (workspace, id)
);
CREATE INDEX view_runs_1_opened_idx ON public.view_runs_1 (workspace, opened_at, from_position);
CREATE INDEX view_runs_1_owner_idx
    ON public.view_runs_1 (workspace, owner_kind, owner_id, opened_at, from_position);

CREATE TABLE public.view_run_status_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    state         text             NOT NULL,
    reason        text,
    stop_mode     text,
    term          integer          NOT NULL,
    instance      text             NOT NULL,
    started_at    timestamp with time zone,
    ended_at      timestamp with time zone,
    counts        json,
    from_position bigint           NOT NULL,
    CONSTRAINT view_run_status_1_pkey PRIMARY KEY (workspace, id)
) WITH (fillfactor = 80);
-- Which runs are open, whoever runs them.
CREATE INDEX view_run_status_1_open_idx ON public.view_run_status_1 (workspace, id) WHERE ended_at IS NULL;

CREATE TABLE public.view_job_runs_1 (
    workspace     text COLLATE "C" NOT NULL,
    run           text COLLATE "C" NOT NULL,
    "row"         integer          NOT NULL,
    state         text             NOT NULL,
    reason        text,
    detail        text,
    attempt       integer,
    retry_at      timestamp with time zone,
    holder        text,
    joined        text,
    deadline      timestamp with time zone,
    ended_at      timestamp with time zone,
    counts        json,
    output        json,
    from_position bigint           NOT NULL,
    CONSTRAINT view_job_runs_1_pkey PRIMARY KEY (workspace, run, "row")
) WITH (fillfactor = 80);

CREATE TABLE public.view_attempts_1 (
    workspace     text COLLATE "C"         NOT NULL,
    run           text COLLATE "C"         NOT NULL,
    "row"         integer                  NOT NULL,
    attempt       integer                  NOT NULL,
    state         text                     NOT NULL,
    reason        text,
    detail        text,
    term          integer                  NOT NULL,
    started_at    timestamp with time zone NOT NULL,
    ended_at      timestamp with time zone,
    retry_at      timestamp with time zone,
    counts        json,
    fraction      double precision,
    progress      text,
    progressed_at timestamp with time zone,
    log_lines     integer,
    log_sha256    text,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_attempts_1_pkey PRIMARY KEY (workspace, run, "row", attempt)
) WITH (fillfactor = 80);

-- One answered occurrence, or `count` consecutive ones of one cadence version from `due` to `last`.
CREATE TABLE public.view_occurrences_1 (
    workspace       text COLLATE "C"         NOT NULL,
    id              text COLLATE "C"         NOT NULL,
    owner_kind      text COLLATE "C"         NOT NULL,
    owner_id        text COLLATE "C"         NOT NULL,
    cadence_version integer                  NOT NULL,
    due             timestamp with time zone NOT NULL,
    last            timestamp with time zone NOT NULL,
    count           integer                  NOT NULL,
    anchor_day      integer,
    outcome         text                     NOT NULL,
    reason          text,
    run             text,
    covered_by      text,
    open_run        text,
    answered_at     timestamp with time zone NOT NULL,
    from_position   bigint                   NOT NULL,
    CONSTRAINT view_occurrences_1_pkey PRIMARY KEY (workspace, id)
);
CREATE INDEX view_occurrences_1_due_idx ON public.view_occurrences_1 (workspace, due, id);
CREATE INDEX view_occurrences_1_owner_idx ON public.view_occurrences_1 (workspace, owner_kind, owner_id, due, id);
-- Storms are few, and may begin long before a window that they reach into.
CREATE INDEX view_occurrences_1_storm_idx
    ON public.view_occurrences_1 (workspace, owner_kind, owner_id, last) WHERE count > 1;

CREATE TABLE public.view_timers_1 (
    workspace     text COLLATE "C"         NOT NULL,
    owner_kind    text COLLATE "C"         NOT NULL,
    owner_id      text COLLATE "C"         NOT NULL,
    kind          text COLLATE "C"         NOT NULL,
    due_at        timestamp with time zone NOT NULL,
    zone_data     text                     NOT NULL,
    parked        boolean                  NOT NULL DEFAULT false,
    parked_reason text,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_timers_1_pkey PRIMARY KEY (workspace, owner_kind, owner_id, kind)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX view_timers_1_due_idx ON public.view_timers_1 (due_at) WHERE NOT parked;

-- Give a versioned table its past: `<view>_past`, and `<view>_at(key…, position)`, the row as of a position. The function
-- is one plain query, so Postgres puts it in place where it is called.
CREATE FUNCTION public.add_view_past(view text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    relation CONSTANT oid := format('public.%I', view)::regclass;
    columns  text;
    typed    text;
    keys     text;
    equal    text;
    args     text;
    width    integer;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
           string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
    INTO columns, typed
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped;

    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place),
           string_agg(format('x.%I = $%s', a.attname, k.place), ' AND ' ORDER BY k.place),
           string_agg(format_type(a.atttypid, a.atttypmod), ', ' ORDER BY k.place),
           count(*)
    INTO keys, equal, args, width
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = relation AND i.indisprimary;

    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I, to_position bigint NOT NULL)', view || '_past', view);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I PRIMARY KEY (%s, to_position)',
                   view || '_past', view || '_past_pkey', keys);
    EXECUTE format(
        'CREATE FUNCTION public.%I (%s, bigint) RETURNS TABLE (%s) LANGUAGE sql STABLE ROWS 1 AS $f$
            SELECT %s FROM public.%I AS x WHERE %s AND x.from_position <= $%s
            UNION ALL
            SELECT %s FROM (
                SELECT * FROM public.%I AS x WHERE %s AND x.to_position > $%s ORDER BY x.to_position LIMIT 1
            ) AS past WHERE past.from_position <= $%s
        $f$',
        view || '_at', args, typed,
        columns, view, equal, width + 1,
        columns, view || '_past', equal, width + 1, width + 1);
END
$$;

SELECT public.add_view_past(name) FROM unnest(ARRAY[
    'view_workspaces_1', 'view_keys_1', 'view_services_1', 'view_service_uses_1', 'view_service_runs_1',
    'view_schedules_1', 'view_schedule_jobs_1', 'view_schedule_next_1', 'view_schedule_runs_1',
    'view_run_status_1', 'view_job_runs_1', 'view_attempts_1'
]) AS name;
REVOKE ALL ON FUNCTION public.add_view_past(text) FROM PUBLIC;

-- Plain views of the present for Grafana, Metabase and the like (docs/sql-views.md). REPLACE keeps what was granted on
-- them, and makes them read the tables that now have the names.
CREATE SCHEMA reporting;

CREATE FUNCTION public.define_reporting() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CREATE OR REPLACE VIEW reporting.jobs_page AS
    SELECT s.workspace, 'schedule' AS kind, s.id, s.description AS name, s.version, s.active,
           s.cadence ->> 'start_date' AS start_date, s.cadence ->> 'start_time' AS start_time,
           s.cadence ->> 'time_zone' AS time_zone, (s.cadence ->> 'every')::integer AS every,
           s.cadence ->> 'unit' AS unit, s.policies -> 'timing' ->> 'timing' AS timing,
           json_array_length(j.jobs) AS jobs, n.due AS next_due, n.local AS next_due_local,
           r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at
    FROM public.view_schedules_1 s
    JOIN public.view_schedule_jobs_1 j USING (workspace, id)
    JOIN public.view_schedule_next_1 n USING (workspace, id)
    LEFT JOIN public.view_schedule_runs_1 r USING (workspace, id)
    WHERE s.deleted_at IS NULL
    UNION ALL
    SELECT s.workspace, 'service', s.id, s.name, s.version, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at
    FROM public.view_services_1 s
    LEFT JOIN public.view_service_runs_1 r USING (workspace, id)
    WHERE s.deleted_at IS NULL;

    CREATE OR REPLACE VIEW reporting.runs AS
    SELECT r.workspace, r.id, r.owner_kind, r.owner_id, r.cause, r.cause_detail, s.state, s.reason, r.due, r.opened_at,
           s.started_at, s.ended_at, extract(epoch FROM s.ended_at - s.started_at)::double precision AS duration_s,
           extract(epoch FROM s.started_at - r.due)::double precision AS lateness_s,
           coalesce((s.counts ->> 'succeeded')::integer, 0) AS jobs_succeeded,
           coalesce((s.counts ->> 'failed')::integer, 0) AS jobs_failed,
           json_array_length(r.jobs) AS jobs, r.missed_occurrences, r.missed_first, r.missed_last, r.resumes
    FROM public.view_runs_1 r
    JOIN public.view_run_status_1 s USING (workspace, id);

    CREATE OR REPLACE VIEW reporting.occurrences AS
    SELECT workspace, id, owner_kind, owner_id, cadence_version, due, last, count, outcome, reason, run, covered_by,
           answered_at
    FROM public.view_occurrences_1;
END
$$;
SELECT public.define_reporting();
REVOKE ALL ON FUNCTION public.define_reporting() FROM PUBLIC;

-- A rebuild fills `<table>_next` beside each table of a view, and then gives them the names, all in one transaction.
CREATE FUNCTION public.make_view_shadows(views text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    view    text;
    options text;
BEGIN
    FOREACH view IN ARRAY views LOOP
        IF view !~ '^view_[a-z_]+_[0-9]+(_past)?$' THEN
            RAISE EXCEPTION 'no view: %', view;
        END IF;
        EXECUTE format('DROP TABLE IF EXISTS public.%I', view || '_next');
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', view || '_next', view);
        SELECT array_to_string(reloptions, ', ') INTO options
        FROM pg_class WHERE oid = format('public.%I', view)::regclass;
        IF options IS NOT NULL THEN
            EXECUTE format('ALTER TABLE public.%I SET (%s)', view || '_next', options);
        END IF;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view || '_next')
            || $role${{app_role}}$role$;
    END LOOP;
END
$$;

CREATE FUNCTION public.switch_views(views text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY views LOOP
        IF view !~ '^view_[a-z_]+_[0-9]+(_past)?$' THEN
            RAISE EXCEPTION 'no view: %', view;
        END IF;
        EXECUTE format('ALTER TABLE public.%I RENAME TO %I', view, view || '_old');
        EXECUTE format('ALTER TABLE public.%I RENAME TO %I', view || '_next', view);
    END LOOP;
    PERFORM public.define_reporting();
    FOREACH view IN ARRAY views LOOP
        EXECUTE format('DROP TABLE public.%I', view || '_old');
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION public.make_view_shadows(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.switch_views(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.make_view_shadows(text[]) TO {{app_role}};
GRANT EXECUTE ON FUNCTION public.switch_views(text[]) TO {{app_role}};
GRANT USAGE ON SCHEMA reporting TO {{app_role}};

DO $$
DECLARE
    view text;
BEGIN
    FOR view IN SELECT relname FROM pg_catalog.pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'view\_%' LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {{app_role}};

-- migrate:down

DROP SCHEMA reporting CASCADE;
DROP FUNCTION public.switch_views(text[]), public.make_view_shadows(text[]), public.define_reporting(),
    public.add_view_past(text);
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT oid::regprocedure AS name FROM pg_catalog.pg_proc
                 WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'view\_%\_at' LOOP
        EXECUTE format('DROP FUNCTION %s', found.name);
    END LOOP;
    FOR found IN SELECT oid::regclass AS name FROM pg_catalog.pg_class
                 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'view\_%' LOOP
        EXECUTE format('DROP TABLE %s', found.name);
    END LOOP;
END
$$;
