-- migrate:up

-- The group that a Connect job left last: an open run of it may still have the job.
CREATE TABLE public.view_left_groups_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    left_group    text COLLATE "C" NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_left_groups_1_pkey PRIMARY KEY (workspace, id)
);

SELECT public.add_view_past('view_left_groups_1');

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_left_groups_1', 'view_left_groups_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_left_groups_1_at;
DROP TABLE public.view_left_groups_1, public.view_left_groups_1_past;
