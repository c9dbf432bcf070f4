-- $1 workspace, $2 position, $3 part of id or description, $4 active
SELECT count(*)
FROM view_schedules_1 AS k
CROSS JOIN LATERAL view_schedules_1_at(k.workspace, k.id, $2) AS s
WHERE
    k.workspace = $1
    AND s.deleted_at IS NULL
    AND ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.description), lower($3)) > 0)
    AND ($4::boolean IS NULL OR s.active = $4)
