SELECT s.id, s.version, s.name, s.trigger, s.handler, s.config::text, s.policy::text,
       s.exclusive, s.active, s.created_at, s.deleted_at,
       r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at, m.run AS in_run,
       ARRAY(
           SELECT u.schedule FROM public.view_flow_uses_1 AS k
           CROSS JOIN LATERAL public.view_flow_uses_1_at(k.workspace, k.flow, k.schedule, $3) AS u
           WHERE k.workspace = $1 AND k.flow = $2 AND u.attached ORDER BY k.schedule
       ) AS used_by
FROM public.view_flows_1_at($1, $2, $3) AS s
LEFT JOIN LATERAL public.view_flow_runs_1_at($1, $2, $3) AS r ON true
LEFT JOIN LATERAL public.view_turns_1_at($1, 'flow', $2, $3) AS m ON true
