-- $1 workspace  $2 position  $3 $4 from when and until before when  $5 $6 kind and id of one owner, or null  $7 one outcome, or
-- null  $8 how many. The newest first, with how the run is of what ran; of moments that were answered together, the first.
SELECT o.id, o.owner_kind, o.owner_id, o.cadence_version, o.due, o.last, o.count, o.outcome, coalesce(o.reason, s.reason) AS reason, o.run,
       s.state, s.started_at, s.ended_at
FROM (
    (SELECT * FROM public.view_occurrences_1
     WHERE $5::text IS NULL AND workspace = $1 AND due >= $3 AND due < $4 AND from_position <= $2
           AND ($7::text IS NULL OR outcome = $7)
     ORDER BY due DESC, id DESC
     LIMIT $8)
    UNION ALL
    (SELECT * FROM public.view_occurrences_1
     WHERE workspace = $1 AND owner_kind = $5 AND owner_id = $6::text AND due >= $3 AND due < $4 AND from_position <= $2
           AND ($7::text IS NULL OR outcome = $7)
     ORDER BY due DESC, id DESC
     LIMIT $8)
) AS o
LEFT JOIN LATERAL public.view_run_status_1_at($1, o.run, $2) AS s ON true
ORDER BY o.due DESC, o.id DESC
