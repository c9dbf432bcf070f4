-- migrate:up

-- Who belongs to a workspace; one that was removed may come back.
CREATE TABLE public.view_members_1 (
    workspace     text COLLATE "C"         NOT NULL,
    id            text COLLATE "C"         NOT NULL,
    version       integer                  NOT NULL,
    name          text                     NOT NULL,
    email         text,
    roles         json                     NOT NULL,
    read_only     boolean                  NOT NULL,
    added_at      timestamp with time zone NOT NULL,
    added_by      text                     NOT NULL,
    removed_at    timestamp with time zone,
    from_position bigint                   NOT NULL,
    CONSTRAINT view_members_1_pkey PRIMARY KEY (workspace, id)
);

-- Whose a key is, of those that are somebody's.
CREATE TABLE public.view_key_members_1 (
    workspace     text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    member        text COLLATE "C" NOT NULL,
    from_position bigint           NOT NULL,
    CONSTRAINT view_key_members_1_pkey PRIMARY KEY (workspace, id)
);
CREATE INDEX view_key_members_1_member_idx ON public.view_key_members_1 (workspace, member, id);

SELECT public.add_view_past(name) FROM unnest(ARRAY['view_members_1', 'view_key_members_1']) AS name;

DO $$
DECLARE
    view text;
BEGIN
    FOREACH view IN ARRAY ARRAY[
        'view_members_1', 'view_members_1_past', 'view_key_members_1', 'view_key_members_1_past'
    ] LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC', view);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO ', view) || $role${{app_role}}$role$;
    END LOOP;
END
$$;

-- migrate:down

DROP FUNCTION public.view_members_1_at, public.view_key_members_1_at;
DROP TABLE public.view_members_1, public.view_members_1_past, public.view_key_members_1, public.view_key_members_1_past;
