-- $1 workspace  $2 position  $3 $4 kinds and ids of owners  $5 how many of each: their last occurrences, the oldest of them first,
-- with how the run is of what ran.
SELECT o.owner_kind, o.owner_id, o.due, o.last, o.count, o.outcome, coalesce(o.reason, s.reason) AS reason, o.run, s.state
FROM unnest($3::text[], $4::text[]) AS w (kind, id)
CROSS JOIN LATERAL (
    SELECT * FROM public.view_occurrences_1
    WHERE workspace = $1 AND owner_kind = w.kind AND owner_id = w.id AND from_position <= $2
    ORDER BY due DESC, id DESC
    LIMIT $5
) AS o
LEFT JOIN LATERAL public.view_run_status_1_at($1, o.run, $2) AS s ON true
ORDER BY o.owner_kind, o.owner_id, o.due, o.id
