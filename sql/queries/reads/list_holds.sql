SELECT w.workspace, h.since, h.until, h.note, h.held_by
FROM unnest(ARRAY['*', $1::text]) AS w (workspace)
CROSS JOIN LATERAL public.view_holds_1_at(w.workspace, $2) AS h
WHERE h.since IS NOT NULL
ORDER BY w.workspace
