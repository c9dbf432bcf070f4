SELECT c.id, c.version, c.name, c.time_zone, c.entries::text, c.saved_at
FROM public.view_calendars_1 AS k
CROSS JOIN LATERAL public.view_calendars_1_at(k.workspace, k.id, $2) AS c
WHERE k.workspace = $1 AND k.id > $3 AND ($5::text IS NULL OR strpos(lower(c.id || ' ' || c.name), lower($5)) > 0)
ORDER BY k.id
LIMIT $4
