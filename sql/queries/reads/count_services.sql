-- $1 workspace, $2 position, $3 part of id or name
SELECT count(*)
FROM view_services_1 AS k
CROSS JOIN LATERAL view_services_1_at(k.workspace, k.id, $2) AS s
WHERE
    k.workspace = $1
    AND s.deleted_at IS NULL
    AND ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.name), lower($3)) > 0)
