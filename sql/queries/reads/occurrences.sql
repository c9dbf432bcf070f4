-- $1 workspace, $2 position, $3 owner kind, $4 owner id, $5 since, $6 until, $7, $8 after this (last, id), $9 limit,
-- $10 outcome. A storm is one row from `due` to `last`.
SELECT
    id, owner_kind, owner_id, cadence_version, due, last, count, anchor_day, outcome, reason, run, covered_by, open_run,
    answered_at, from_position
FROM view_occurrences_1
WHERE
    workspace = $1
    AND from_position <= $2
    AND ($3::text IS NULL OR (owner_kind = $3 AND owner_id = $4::text))
    AND ($5::timestamptz IS NULL OR last >= $5)
    AND ($6::timestamptz IS NULL OR due < $6)
    AND ($7::timestamptz IS NULL OR (due, id) > ($7, $8::text))
    AND ($10::text IS NULL OR outcome = $10)
ORDER BY due, id
LIMIT $9
