-- migrate:up

-- Why a run waited: before it opened (term 0), or for a place at the instance that had it in that term.
CREATE TABLE public.view_delays_1 (
    workspace     text COLLATE "C"         NOT NULL,
    run           text COLLATE "C"         NOT NULL,
    term          integer                  NOT NULL,
    reason        text                     NOT NULL,
    limited_to    integer,
    open_run      text,
    instance      text,
    since         timestamp with time zone NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_delays_1_pkey PRIMARY KEY (workspace, run, term)
);

DO $$
BEGIN
    EXECUTE 'REVOKE ALL ON public.view_delays_1 FROM PUBLIC';
    EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON public.view_delays_1 TO ' || $role${{app_role}}$role$;
END
$$;

-- migrate:down

DROP TABLE public.view_delays_1;
