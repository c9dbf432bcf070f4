-- migrate:up

-- Who made each group and Connect job.
CREATE TABLE public.view_creators_1 (
    workspace     text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    created_by    text             NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_creators_1_pkey PRIMARY KEY (workspace, kind, id)
);

DO $$
BEGIN
    EXECUTE 'REVOKE ALL ON public.view_creators_1 FROM PUBLIC';
    EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON public.view_creators_1 TO ' || $role${{app_role}}$role$;
END
$$;

-- migrate:down

DROP TABLE public.view_creators_1;
