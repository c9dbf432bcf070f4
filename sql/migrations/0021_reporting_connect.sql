-- migrate:up

-- Groups and Connect jobs for dashboards.
CREATE OR REPLACE FUNCTION public.define_reporting() RETURNS void
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
           r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at,
           s.cadence ->> 'cron' AS cron
    FROM public.view_schedules_1 s
    JOIN public.view_schedule_jobs_1 j USING (workspace, id)
    JOIN public.view_schedule_next_1 n USING (workspace, id)
    LEFT JOIN public.view_schedule_runs_1 r USING (workspace, id)
    WHERE s.deleted_at IS NULL
    UNION ALL
    SELECT s.workspace, 'service', s.id, s.name, s.version, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at, NULL
    FROM public.view_services_1 s
    LEFT JOIN public.view_service_runs_1 r USING (workspace, id)
    WHERE s.deleted_at IS NULL
    UNION ALL
    SELECT s.workspace, 'flow', s.id, s.name, s.version, s.active, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at, NULL
    FROM public.view_flows_1 s
    LEFT JOIN public.view_flow_runs_1 r USING (workspace, id)
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

    CREATE OR REPLACE VIEW reporting.manage_connect AS
    SELECT o.workspace, coalesce(c.kind, o.kind) AS kind, o.id, o.name, o.version,
           CASE WHEN o.active THEN 'active' WHEN o.drafted THEN 'draft' ELSE 'inactive' END AS state,
           r.open_run IS NOT NULL OR t.run IS NOT NULL AS running, o.schedule ->> 'type' AS schedule_type,
           o.schedule ->> 'time_zone' AS time_zone, n.due AS next_run, n.local AS next_run_local,
           json_array_length(g.members) AS jobs, c.member_of AS group_id, o.expires_on,
           o.notification ->> 'mode' AS notification_mode, coalesce(r.open_run, t.run) AS open_run,
           r.last_run, r.last_state, r.last_reason, r.last_ended_at, o.created_at
    FROM public.view_slot_owners_1 o
    LEFT JOIN public.view_slot_next_1 n USING (workspace, kind, id)
    LEFT JOIN public.view_slot_runs_1 r USING (workspace, kind, id)
    LEFT JOIN public.view_groups_1 g ON o.kind = 'group' AND (g.workspace, g.id) = (o.workspace, o.id)
    LEFT JOIN public.view_connect_jobs_1 c ON o.kind = 'job' AND (c.workspace, c.id) = (o.workspace, o.id)
    LEFT JOIN public.view_turns_1 t ON o.kind = 'job' AND (t.workspace, t.kind, t.id) = (o.workspace, 'job', o.id)
    WHERE o.deleted_at IS NULL;
END
$$;
SELECT public.define_reporting();
GRANT SELECT ON reporting.manage_connect TO {{app_role}};

-- migrate:down

DROP VIEW reporting.manage_connect;
CREATE OR REPLACE FUNCTION public.define_reporting() RETURNS void
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
           r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at,
           s.cadence ->> 'cron' AS cron
    FROM public.view_schedules_1 s
    JOIN public.view_schedule_jobs_1 j USING (workspace, id)
    JOIN public.view_schedule_next_1 n USING (workspace, id)
    LEFT JOIN public.view_schedule_runs_1 r USING (workspace, id)
    WHERE s.deleted_at IS NULL
    UNION ALL
    SELECT s.workspace, 'service', s.id, s.name, s.version, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at, NULL
    FROM public.view_services_1 s
    LEFT JOIN public.view_service_runs_1 r USING (workspace, id)
    WHERE s.deleted_at IS NULL
    UNION ALL
    SELECT s.workspace, 'flow', s.id, s.name, s.version, s.active, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, s.created_at, NULL
    FROM public.view_flows_1 s
    LEFT JOIN public.view_flow_runs_1 r USING (workspace, id)
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
