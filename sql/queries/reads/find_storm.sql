-- The storm of one cadence version that a moment belongs to.
SELECT id, owner_kind, owner_id, cadence_version, due, last, count, anchor_day, outcome, reason, run, covered_by, open_run,
       answered_at, from_position
FROM public.view_occurrences_1
WHERE workspace = $1 AND owner_kind = $2 AND owner_id = $3 AND count > 1 AND last >= $5 AND due <= $5
      AND cadence_version = $4 AND from_position <= $6
