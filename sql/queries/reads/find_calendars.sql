SELECT c.id, c.version, c.name, c.time_zone, c.entries::text, c.saved_at
FROM unnest($2::text[]) AS w (id)
CROSS JOIN LATERAL public.view_calendars_1_at($1, w.id, $3) AS c
