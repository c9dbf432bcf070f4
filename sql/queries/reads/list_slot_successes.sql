-- $1 workspace  $2 position  $3 $4 $5 slots, and where they begin and end  $6 how many entries of a slot. What succeeded: an entry is what one
-- owner has of it in one slot; those of its owner that still run are counted as well. The owners are found one after another, as those of
-- what did not go well are.
WITH RECURSIVE found AS (
    SELECT b.slot, b.begins, b.ends, o.*, 1 AS place, ARRAY[o.owner_kind || '/' || o.owner_id] AS owners
    FROM unnest($3::integer[], $4::timestamptz[], $5::timestamptz[]) AS b (slot, begins, ends)
    CROSS JOIN LATERAL (
        SELECT due, id, owner_kind, owner_id, cadence_version FROM public.view_occurrences_1 AS o
        WHERE workspace = $1 AND due >= b.begins AND due < b.ends AND outcome = 'ran'
              AND from_position <= $2 AND (SELECT state = 'succeeded' FROM public.view_run_status_1_at($1, o.id, $2))
        ORDER BY due, id
        LIMIT 1
    ) AS o
    UNION ALL
    SELECT f.slot, f.begins, f.ends, o.*, f.place + 1, f.owners || (o.owner_kind || '/' || o.owner_id)
    FROM found AS f
    CROSS JOIN LATERAL (
        SELECT due, id, owner_kind, owner_id, cadence_version FROM public.view_occurrences_1 AS o
        WHERE workspace = $1 AND (due, id) > (f.due, f.id) AND due < f.ends AND outcome = 'ran'
              AND owner_kind || '/' || owner_id <> ALL (f.owners)
              AND from_position <= $2 AND (SELECT state = 'succeeded' FROM public.view_run_status_1_at($1, o.id, $2))
        ORDER BY due, id
        LIMIT 1
    ) AS o
    WHERE f.place < $6
)
SELECT f.slot, 'succeeded' AS outcome, f.owner_kind, f.owner_id, f.due AS first, newest.due AS last, f.cadence_version,
       (ran.count - badly.count)::integer AS count, true AS ran, NULL AS reason, NULL AS other_reason
FROM found AS f
CROSS JOIN LATERAL (
    SELECT due FROM public.view_occurrences_1 AS o
    WHERE workspace = $1 AND owner_kind = f.owner_kind AND owner_id = f.owner_id AND due >= f.due AND due < f.ends
          AND outcome = 'ran' AND from_position <= $2 AND (SELECT state = 'succeeded' FROM public.view_run_status_1_at($1, o.id, $2))
    ORDER BY due DESC, id DESC
    LIMIT 1
) AS newest
CROSS JOIN LATERAL (
    SELECT count(*) FROM public.view_occurrences_1
    WHERE workspace = $1 AND owner_kind = f.owner_kind AND owner_id = f.owner_id AND due >= f.begins AND due < f.ends
          AND outcome = 'ran' AND from_position <= $2
) AS ran
CROSS JOIN LATERAL (
    SELECT count(*) FROM public.view_troubles_1
    WHERE workspace = $1 AND owner_kind = CASE WHEN f.owner_kind IN ('schedule', 'group') THEN f.owner_kind ELSE 'job' END
          AND owner_id = f.owner_id AND outcome IN ('failed', 'missed', 'aborted', 'skipped')
          AND due >= f.begins AND due < f.ends AND ran AND from_position <= $2
) AS badly
ORDER BY f.slot, f.place
