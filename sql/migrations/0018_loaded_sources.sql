-- migrate:up

-- Each workspace's schema also gets the list of what was loaded into which table, by which a file is known again.
CREATE OR REPLACE FUNCTION public.eventjobs_data_role(workspace text, verifier text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name text := 'data_' || workspace;
    role_name   text;
BEGIN
    IF workspace IS NULL OR workspace !~ '^[a-z0-9][a-z0-9._-]{0,39}$' THEN
        RAISE EXCEPTION 'not a workspace id' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF verifier !~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'not a SCRAM-SHA-256 verifier' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT schema_name || '_' || left(replace(data ->> 'log_id', '-', ''), 8) INTO role_name
      FROM public.events WHERE position = 1;
    IF role_name IS NULL THEN
        RAISE EXCEPTION 'the log has no id yet' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    -- Grants update shared rows; two at once would fail with "tuple concurrently updated".
    PERFORM pg_advisory_xact_lock(hashtextextended('eventjobs data roles', 0));

    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of this server was faster: roles belong to all of them
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name
               AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR NOT rolcanlogin))
       OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = role_name) THEN
        RAISE EXCEPTION 'the role % is there with more rights than a data role may have', role_name
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF verifier IS NOT NULL THEN
        EXECUTE format('ALTER ROLE %I PASSWORD %L', role_name, verifier);
    END IF;
    IF NOT has_database_privilege(role_name, current_database(), 'CONNECT, TEMPORARY') THEN
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), role_name);
    END IF;

    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', schema_name);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', schema_name);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', schema_name, role_name);
    EXECUTE format($table$
        CREATE TABLE IF NOT EXISTS %I.eventjobs_loads (
            run       text        NOT NULL,
            "row"     integer     NOT NULL,
            job       text        NOT NULL,
            attempt   integer     NOT NULL,
            term      bigint      NOT NULL,
            sha256    text        NOT NULL,
            counts    json        NOT NULL,
            loaded_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT eventjobs_loads_once PRIMARY KEY (run, "row")
        )$table$, schema_name);
    EXECUTE format('GRANT SELECT, INSERT ON %I.eventjobs_loads TO %I', schema_name, role_name);
    -- A table of its own: a new column of the other one would have to wait for every load that is going on.
    EXECUTE format($table$
        CREATE TABLE IF NOT EXISTS %I.eventjobs_sources (
            run       text        NOT NULL,
            "row"     integer     NOT NULL,
            job       text        NOT NULL,
            "table"   text        NOT NULL,
            sha256    text        NOT NULL,
            recipe    text        NOT NULL,
            is_first  boolean     NOT NULL,
            loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT eventjobs_sources_once PRIMARY KEY (run, "row")
        )$table$, schema_name);
    EXECUTE format('CREATE INDEX IF NOT EXISTS eventjobs_sources_by_table ON %I.eventjobs_sources ("table", loaded_at)',
                   schema_name);
    EXECUTE format('GRANT SELECT, INSERT ON %I.eventjobs_sources TO %I', schema_name, role_name);
    RETURN role_name;
END
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION public.eventjobs_data_role(workspace text, verifier text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name text := 'data_' || workspace;
    role_name   text;
BEGIN
    IF workspace IS NULL OR workspace !~ '^[a-z0-9][a-z0-9._-]{0,39}$' THEN
        RAISE EXCEPTION 'not a workspace id' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF verifier !~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'not a SCRAM-SHA-256 verifier' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT schema_name || '_' || left(replace(data ->> 'log_id', '-', ''), 8) INTO role_name
      FROM public.events WHERE position = 1;
    IF role_name IS NULL THEN
        RAISE EXCEPTION 'the log has no id yet' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    -- Grants update shared rows; two at once would fail with "tuple concurrently updated".
    PERFORM pg_advisory_xact_lock(hashtextextended('eventjobs data roles', 0));

    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of this server was faster: roles belong to all of them
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name
               AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR NOT rolcanlogin))
       OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = role_name) THEN
        RAISE EXCEPTION 'the role % is there with more rights than a data role may have', role_name
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF verifier IS NOT NULL THEN
        EXECUTE format('ALTER ROLE %I PASSWORD %L', role_name, verifier);
    END IF;
    IF NOT has_database_privilege(role_name, current_database(), 'CONNECT, TEMPORARY') THEN
        EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), role_name);
    END IF;

    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', schema_name);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', schema_name);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', schema_name, role_name);
    EXECUTE format($table$
        CREATE TABLE IF NOT EXISTS %I.eventjobs_loads (
            run       text        NOT NULL,
            "row"     integer     NOT NULL,
            job       text        NOT NULL,
            attempt   integer     NOT NULL,
            term      bigint      NOT NULL,
            sha256    text        NOT NULL,
            counts    json        NOT NULL,
            loaded_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT eventjobs_loads_once PRIMARY KEY (run, "row")
        )$table$, schema_name);
    EXECUTE format('GRANT SELECT, INSERT ON %I.eventjobs_loads TO %I', schema_name, role_name);
    RETURN role_name;
END
$$;
