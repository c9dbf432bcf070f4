SELECT o.id, o.version, o.name, o.description, o.drafted, o.active, o.schedule::text,
       o.notification::text, o.policies::text, o.on_expiry, o.cadence_version, o.created_at, a.created_by, o.deleted_at, o.expires_on, o.expires_at, o.expired,
       n.due, n.local, n.fold, n.asked, n.zone_data, n.timing::text,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at,
       p.since AS paused_since, p.until AS paused_until, p.note AS pause_note, p.paused_by, q.waiting,
       w.time_zone AS zone, g.members::text
FROM unnest($2::text[]) AS wanted (id)
CROSS JOIN LATERAL public.view_slot_owners_1_at($1, 'group', wanted.id, $3) AS o
CROSS JOIN LATERAL public.view_groups_1_at($1, wanted.id, $3) AS g
CROSS JOIN LATERAL public.view_workspaces_1_at($1, $3) AS w
LEFT JOIN public.view_creators_1 AS a ON a.workspace = $1 AND a.kind = 'group' AND a.id = wanted.id
LEFT JOIN LATERAL public.view_slot_next_1_at($1, 'group', wanted.id, $3) AS n ON true
LEFT JOIN LATERAL public.view_slot_runs_1_at($1, 'group', wanted.id, $3) AS r ON true
LEFT JOIN LATERAL public.view_pauses_1_at($1, 'group', wanted.id, $3) AS p ON true
LEFT JOIN LATERAL public.view_queues_1_at($1, 'group', wanted.id, $3) AS q ON true
