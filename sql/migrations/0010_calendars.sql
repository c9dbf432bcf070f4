-- migrate:up

CREATE TABLE public.view_calendars_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    name          text                     NOT NULL,
    time_zone     text                     NOT NULL,
    entries       json                     NOT NULL,
    saved_at      timestamp with time zone NOT NULL,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_calendars_1_pkey PRIMARY KEY (workspace, id)
);

SELECT public.add_view_past('view_calendars_1');

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY['view_calendars_1', 'view_calendars_1_past'] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_calendars_1_at;
DROP TABLE public.view_calendars_1, public.view_calendars_1_past;
