-- $1 workspace, $2 position, $3 id (null: a list), $4 after this id, $5 limit, $6 part of id or name
SELECT
    s.id, s.version, s.name, s.handler, s.config::text AS config, s.policy::text AS policy, s.created_at,
    s.deleted_at, r.open_run, r.last_run, r.last_state, r.last_reason, r.last_ended_at,
    ARRAY(
        SELECT u.schedule
        FROM view_service_uses_1 AS p
        CROSS JOIN LATERAL view_service_uses_1_at(p.workspace, p.service, p.schedule, $2) AS u
        WHERE p.workspace = k.workspace AND p.service = k.id AND u.attached
        ORDER BY u.schedule
    ) AS used_by
FROM view_services_1 AS k
CROSS JOIN LATERAL view_services_1_at(k.workspace, k.id, $2) AS s
LEFT JOIN LATERAL view_service_runs_1_at(k.workspace, k.id, $2) AS r ON true
WHERE
    k.workspace = $1
    AND ($3::text IS NULL OR k.id = $3)
    AND k.id > $4
    AND ($3 IS NOT NULL OR s.deleted_at IS NULL)
    AND ($6::text IS NULL OR strpos(lower(s.id || ' ' || s.name), lower($6)) > 0)
ORDER BY k.id
LIMIT $5
