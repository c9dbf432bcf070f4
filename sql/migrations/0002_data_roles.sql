-- migrate:up

-- A data role sees its own schema and nothing else; what everybody may do in `public` would be more than that.
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Makes a workspace's schema and LOGIN role, or finds them made, and returns the role's name. `verifier` is a
-- SCRAM-SHA-256 secret (never a password, which statement logs would show), or null where the server trusts its socket.
CREATE FUNCTION public.eventjobs_data_role(workspace text, verifier text) RETURNS text
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

REVOKE ALL ON FUNCTION public.eventjobs_data_role(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.eventjobs_data_role(text, text) TO {{app_role}};

-- migrate:down
DROP FUNCTION public.eventjobs_data_role(text, text);
GRANT USAGE ON SCHEMA public TO PUBLIC;
