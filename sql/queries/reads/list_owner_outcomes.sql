-- Answers from a moment on, and the storms that began before it and reach it.
SELECT id, owner_kind, owner_id, cadence_version, due, last, count, anchor_day, outcome, reason, run, covered_by, open_run,
       answered_at, from_position
FROM (
    (SELECT * FROM public.view_occurrences_1
     WHERE workspace = $1 AND owner_kind = $8 AND owner_id = $9 AND (due, id) > ($3::timestamptz, $4::text)
           AND due < coalesce($5::timestamptz, 'infinity')
           AND from_position <= $2 AND ($6::text IS NULL OR outcome = $6)
     ORDER BY due, id
     LIMIT $7)
    UNION ALL
    (SELECT * FROM public.view_occurrences_1
     WHERE workspace = $1 AND owner_kind = $8 AND owner_id = $9 AND count > 1 AND last >= $3::timestamptz AND (due, id) <= ($3::timestamptz, $4::text)
           AND from_position <= $2 AND ($6::text IS NULL OR outcome = $6))
) AS answered
