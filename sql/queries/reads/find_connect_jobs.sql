SELECT o.id, o.version, o.name, o.description, o.drafted, o.active, o.schedule::text,
       o.notification::text, o.policies::text, o.on_expiry, o.cadence_version, o.created_at, a.created_by, o.deleted_at, o.expires_on, o.expires_at, o.expired,
       n.due, n.local, n.fold, n.asked, n.zone_data, n.timing::text,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at,
       p.since AS paused_since, p.until AS paused_until, p.note AS pause_note, p.paused_by, q.waiting,
       w.time_zone AS zone,
       c.kind, c.subtype, c.handler, c.config::text, c.policy::text, c.errors::text, c.member_of,
       m.run AS in_run, b.active AS group_active, b.name AS group_name, b.expires_at AS group_expires_at,
       br.open_run AS group_open_run, e.id AS group_run, e.owner_id AS group_of_run,
       t.run AS result_run, t.owner_kind AS result_owner_kind, t.owner_id AS result_owner_id, t.state AS result_state,
       x.reason AS result_reason, t.ended_at AS result_ended_at
FROM unnest($2::text[]) AS wanted (id)
CROSS JOIN LATERAL public.view_slot_owners_1_at($1, 'job', wanted.id, $3) AS o
CROSS JOIN LATERAL public.view_connect_jobs_1_at($1, wanted.id, $3) AS c
CROSS JOIN LATERAL public.view_workspaces_1_at($1, $3) AS w
LEFT JOIN public.view_creators_1 AS a ON a.workspace = $1 AND a.kind = 'job' AND a.id = wanted.id
LEFT JOIN LATERAL public.view_slot_next_1_at($1, 'job', wanted.id, $3) AS n ON true
LEFT JOIN LATERAL public.view_slot_runs_1_at($1, 'job', wanted.id, $3) AS r ON true
LEFT JOIN LATERAL public.view_pauses_1_at($1, 'job', wanted.id, $3) AS p ON true
LEFT JOIN LATERAL public.view_queues_1_at($1, 'job', wanted.id, $3) AS q ON true
LEFT JOIN LATERAL public.view_turns_1_at($1, 'job', wanted.id, $3) AS m ON true
LEFT JOIN LATERAL public.view_slot_owners_1_at($1, 'group', c.member_of, $3) AS b ON true
LEFT JOIN LATERAL public.view_slot_runs_1_at($1, 'group', c.member_of, $3) AS br ON true
LEFT JOIN LATERAL public.view_left_groups_1_at($1, wanted.id, $3) AS l ON true
LEFT JOIN LATERAL public.view_slot_runs_1_at($1, 'group', l.left_group, $3) AS lr ON true
LEFT JOIN LATERAL (
    SELECT run.id, run.owner_id FROM public.view_runs_1 AS run
    CROSS JOIN LATERAL json_array_elements(run.jobs) AS has (job)
    WHERE run.workspace = $1 AND run.id IN (br.open_run, lr.open_run) AND has.job -> 'job' ->> 'id' = wanted.id
    ORDER BY run.id IS DISTINCT FROM br.open_run
    LIMIT 1
) AS e ON true
LEFT JOIN LATERAL (
    SELECT * FROM public.view_connect_job_runs_1 AS ended
    WHERE ended.workspace = $1 AND ended.job = wanted.id AND ended.ended_at IS NOT NULL AND ended.from_position <= $3
          AND ended.state IN ('succeeded', 'failed', 'aborted')
    ORDER BY ended.ended_at DESC, ended.from_position DESC
    LIMIT 1
) AS t ON true
LEFT JOIN LATERAL public.view_job_runs_1_at($1, t.run, t."row", $3) AS x ON true
