SELECT id, owner_kind, owner_id, cadence_version, due, last, count, anchor_day, outcome, reason, run, covered_by, open_run,
       answered_at, from_position
FROM public.view_occurrences_1 WHERE workspace = $1 AND id = $2 AND from_position <= $3
