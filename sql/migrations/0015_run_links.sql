-- migrate:up

-- What only few runs have: the moment that a run by hand stands for, and the run that goes on where it did not succeed.
CREATE TABLE public.view_run_links_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    stands_for    timestamp with time zone,
    resumed_by    text,
    from_position bigint           NOT NULL,
    CONSTRAINT view_run_links_1_pkey PRIMARY KEY (workspace, id)
);

SELECT public.add_view_past('view_run_links_1');

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_run_links_1', 'view_run_links_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_run_links_1_at;
DROP TABLE public.view_run_links_1, public.view_run_links_1_past;
