-- migrate:up

-- The log: one order of facts. Positions are given by the appender; the primary key is its compare-and-swap.
-- `data` is json and not jsonb, because its exact bytes are what `leaf` covers (docs/log-format.md).
CREATE TABLE public.events (
    position    bigint                   NOT NULL,
    workspace   text COLLATE "C"         NOT NULL,
    stream      text COLLATE "C"         NOT NULL,
    version     bigint                   NOT NULL,
    type        text COLLATE "C"         NOT NULL,
    schema      integer                  NOT NULL,
    at          timestamp with time zone NOT NULL,
    actor       text COLLATE "C"         NOT NULL,
    command_id  text COLLATE "C"         NOT NULL,
    causation   text COLLATE "C",
    correlation text COLLATE "C",
    data        json                     NOT NULL,
    leaf        bytea                    NOT NULL,
    chain       bytea                    NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (position)
) PARTITION BY RANGE (position);

CREATE INDEX events_workspace_position_idx ON public.events (workspace, position);

CREATE TABLE public.receipts (
    key       text COLLATE "C"         NOT NULL,
    body_hash bytea                    NOT NULL,
    status    integer                  NOT NULL,
    answer    json                     NOT NULL,
    first     bigint                   NOT NULL,
    last      bigint                   NOT NULL,
    at        timestamp with time zone NOT NULL,
    CONSTRAINT receipts_pkey PRIMARY KEY (key)
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_freeze_min_age = 0
);

-- Folded states: a cache that may be emptied at any time, never the truth.
CREATE TABLE public.snapshots (
    workspace    text COLLATE "C"         NOT NULL,
    stream       text COLLATE "C"         NOT NULL,
    version      bigint                   NOT NULL,
    code_version text COLLATE "C"         NOT NULL,
    state        json                     NOT NULL,
    at           timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT snapshots_pkey PRIMARY KEY (workspace, stream, code_version)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- A tripwire against our own mistakes, not a defence: who owns the tables can drop it, and then the chain tells.
CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op;
END
$$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.events
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.events ENABLE ALWAYS TRIGGER events_append_only;

CREATE TRIGGER receipts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.receipts
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE public.receipts ENABLE ALWAYS TRIGGER receipts_append_only;

-- Where the last partition ends (exclusive); null where there is none.
CREATE FUNCTION public.log_end() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT max(substring(pg_get_expr(c.relpartbound, c.oid) FROM $re$TO \('?(\d+)'?\)$re$)::bigint)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.events'::regclass
$$;

-- The next partition is made free-standing and then attached, which does not stop appends; CREATE … PARTITION OF would
-- lock the parent exclusively and queue all appends behind the longest reader.
CREATE FUNCTION public.make_log_partition(size bigint) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begins bigint := coalesce(public.log_end(), 1);
    ends   bigint := begins + size;
    part   text   := 'events_from_' || begins;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.events INCLUDING ALL)', part);
    EXECUTE format(
        'ALTER TABLE public.%I
            ADD CONSTRAINT %I CHECK (position >= %s AND position < %s),
            ADD CONSTRAINT %I UNIQUE (workspace, stream, version),
            SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 100000,
                 autovacuum_analyze_scale_factor = 0.02, autovacuum_freeze_min_age = 0)',
        part, part || '_range_check', begins, ends, part || '_stream_version_key');
    EXECUTE format(
        'CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I
            FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', part || '_append_only', part);
    EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', part, part || '_append_only');
    EXECUTE format('ALTER TABLE public.events ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                   part, begins, ends);
    RETURN ends;
END
$$;

-- Make the next partition of 10 million positions once less than half of that is left; return where the log ends.
-- The lock makes two instances take turns; it waits for no append and stops none.
CREATE FUNCTION public.extend_log() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    size CONSTANT bigint := 10000000;
    head bigint;
BEGIN
    SELECT coalesce(max(position), 0) INTO head FROM public.events;
    IF public.log_end() > head + size / 2 THEN
        RETURN public.log_end();
    END IF;
    LOCK TABLE public.events IN SHARE UPDATE EXCLUSIVE MODE;
    IF public.log_end() > head + size / 2 THEN
        RETURN public.log_end();
    END IF;
    RETURN public.make_log_partition(size);
END
$$;

SELECT public.extend_log();

REVOKE ALL ON FUNCTION public.refuse_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.log_end() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.make_log_partition(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.extend_log() FROM PUBLIC;
REVOKE ALL ON public.events, public.receipts, public.snapshots FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO {{app_role}};
GRANT SELECT, INSERT ON public.events, public.receipts TO {{app_role}};
GRANT SELECT, INSERT, UPDATE, DELETE ON public.snapshots TO {{app_role}};
GRANT EXECUTE ON FUNCTION public.extend_log() TO {{app_role}};

-- migrate:down

DROP TABLE public.events, public.receipts, public.snapshots;
DROP FUNCTION public.extend_log(), public.make_log_partition(bigint), public.log_end(), public.refuse_change();
