-- Whatever has the text ($3, in lower case) in its id or in what it is called, and what there is no end of by the beginning
-- of its id: runs, occurrences that did not run, messages. Keys and members only for who may see them ($8). Best first: the same id, an
-- id that begins with it, one that has it, and the rest.
WITH things AS (
    SELECT 'schedule' AS kind, s.id, s.description AS text FROM public.view_schedules_1 AS s
    WHERE s.workspace = $1 AND s.from_position <= $2 AND s.deleted_at IS NULL
    UNION ALL
    SELECT 'schedule', s.id, s.description FROM public.view_schedules_1 AS k
    CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND k.from_position > $2 AND s.deleted_at IS NULL
    UNION ALL
    SELECT 'service', s.id, concat_ws(' ', s.name, t.type)
    FROM public.view_services_1 AS k
    CROSS JOIN LATERAL public.view_services_1_at(k.workspace, k.id, $2) AS s
    LEFT JOIN LATERAL public.view_service_types_1_at(k.workspace, k.id, $2) AS t ON true
    WHERE k.workspace = $1 AND s.deleted_at IS NULL
    UNION ALL
    SELECT 'flow', s.id, s.name
    FROM public.view_flows_1 AS k
    CROSS JOIN LATERAL public.view_flows_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND s.deleted_at IS NULL
    UNION ALL
    SELECT s.kind, s.id, concat_ws(' ', s.name, s.description)
    FROM public.view_slot_owners_1 AS k
    CROSS JOIN LATERAL public.view_slot_owners_1_at(k.workspace, k.kind, k.id, $2) AS s
    WHERE k.workspace = $1 AND s.deleted_at IS NULL
    UNION ALL
    SELECT 'calendar', s.id, s.name
    FROM public.view_calendars_1 AS k
    CROSS JOIN LATERAL public.view_calendars_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1
    UNION ALL
    SELECT 'definition', s.id, concat_ws(' ', s.content ->> 'name', s.content ->> 'description')
    FROM public.view_definitions_1 AS k
    CROSS JOIN LATERAL public.view_definitions_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1
    UNION ALL
    SELECT 'integration', s.id, concat_ws(' ', d.content ->> 'name', d.content ->> 'description')
    FROM public.view_integrations_1 AS k
    CROSS JOIN LATERAL public.view_integrations_1_at(k.workspace, k.id, $2) AS s
    CROSS JOIN LATERAL public.view_definitions_1_at(s.definition_workspace, s.id, $2) AS d
    WHERE k.workspace = $1
    UNION ALL
    SELECT 'feature', concat(s.id, '.', f.feature ->> 'id'), concat_ws(' ', f.feature ->> 'name', f.feature ->> 'description')
    FROM public.view_integrations_1 AS k
    CROSS JOIN LATERAL public.view_integrations_1_at(k.workspace, k.id, $2) AS s
    CROSS JOIN LATERAL public.view_definitions_1_at(s.definition_workspace, s.id, $2) AS d
    CROSS JOIN LATERAL json_array_elements(d.content -> 'features') AS f (feature)
    WHERE k.workspace = $1
    UNION ALL
    SELECT 'key', s.id, (SELECT string_agg(role, ' ' ORDER BY role) FROM json_array_elements_text(s.roles) AS role)
    FROM public.view_keys_1 AS k
    CROSS JOIN LATERAL public.view_keys_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND $8::boolean
    UNION ALL
    SELECT 'member', s.id, concat_ws(' ', s.name, s.email)
    FROM public.view_members_1 AS k
    CROSS JOIN LATERAL public.view_members_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND s.removed_at IS NULL AND $8::boolean
), found AS (
    SELECT kind, id, coalesce(text, '') AS text FROM things WHERE strpos(lower(concat_ws(' ', id, text)), $3) > 0
    UNION ALL
    SELECT 'run', r.id, r.owner_kind || ' ' || r.owner_id FROM public.view_runs_1 AS r
    WHERE r.workspace = $1 AND r.id >= $3 AND r.id < $3 || U&'\+10FFFF' AND r.from_position <= $2
    UNION ALL
    SELECT 'occurrence', o.id, concat_ws(' ', o.owner_kind, o.owner_id, o.outcome, o.reason)
    FROM public.view_occurrences_1 AS o
    WHERE o.workspace = $1 AND o.id >= $3 AND o.id < $3 || U&'\+10FFFF' AND o.from_position <= $2 AND o.outcome <> 'ran'
    UNION ALL
    SELECT 'notification', n.id, concat_ws(' ', n.kind, n.channel, n.recipient) FROM public.view_notifications_1 AS k
    CROSS JOIN LATERAL public.view_notifications_1_at(k.workspace, k.id, $2) AS n
    WHERE k.workspace = $1 AND k.id >= $3 AND k.id < $3 || U&'\+10FFFF'
), ranked AS (
    SELECT kind, id, text,
           CASE WHEN id = $3 THEN 0 WHEN starts_with(id, $3) THEN 1 WHEN strpos(id, $3) > 0 THEN 2 ELSE 3 END AS rank
    FROM found
)
SELECT kind, id, text, rank FROM ranked
WHERE $4::integer IS NULL OR (rank, kind, id COLLATE "C") > ($4, $5::text, $6::text COLLATE "C")
ORDER BY rank, kind, id COLLATE "C"
LIMIT $7
