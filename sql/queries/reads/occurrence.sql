-- $1 workspace, $2 position, $3 id
SELECT
    id, owner_kind, owner_id, cadence_version, due, last, count, anchor_day, outcome, reason, run, covered_by, open_run,
    answered_at
FROM view_occurrences_1
WHERE workspace = $1 AND id = $3 AND from_position <= $2
