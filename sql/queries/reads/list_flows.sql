SELECT s.id, s.version, s.name, s.trigger, s.handler, s.config::text, s.policy::text,
       s.exclusive, s.active, s.created_at, s.deleted_at,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, m.run AS in_run,
       ARRAY(
           SELECT u.schedule FROM public.view_flow_uses_1 AS k2
           CROSS JOIN LATERAL public.view_flow_uses_1_at(k2.workspace, k2.flow, k2.schedule, $2) AS u
           WHERE k2.workspace = $1 AND k2.flow = k.id AND u.attached ORDER BY k2.schedule
       ) AS used_by
FROM public.view_flows_1 AS k
CROSS JOIN LATERAL public.view_flows_1_at(k.workspace, k.id, $2) AS s
LEFT JOIN LATERAL public.view_flow_runs_1_at(k.workspace, k.id, $2) AS r ON true
LEFT JOIN LATERAL public.view_turns_1_at(k.workspace, 'flow', k.id, $2) AS m ON true
WHERE k.workspace = $1 AND k.id > $3 AND s.deleted_at IS NULL
      AND ($5::text IS NULL OR strpos(lower(s.id || ' ' || s.name), lower($5)) > 0)
ORDER BY k.id
LIMIT $4
