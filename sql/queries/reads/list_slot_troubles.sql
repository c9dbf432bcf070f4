-- $1 workspace  $2 position  $3 $4 $5 $6 slots, where they begin and end, and an outcome of each that did not go well  $7 how many
-- entries of each. An entry is what one owner has of an outcome in a slot: the owners are found one after another, from each on to the first
-- moment of another one, so that their moments are counted only of those that are told.
WITH RECURSIVE found AS (
    SELECT b.slot, b.begins, b.ends, t.*, 1 AS place, ARRAY[t.owner_kind || '/' || t.owner_id] AS owners
    FROM unnest($3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[]) AS b (slot, begins, ends, outcome)
    CROSS JOIN LATERAL (
        SELECT outcome, due, id, owner_kind, owner_id FROM public.view_troubles_1
        WHERE workspace = $1 AND outcome = b.outcome AND due >= b.begins AND due < b.ends AND from_position <= $2
        ORDER BY due, id
        LIMIT 1
    ) AS t
    UNION ALL
    SELECT f.slot, f.begins, f.ends, t.*, f.place + 1, f.owners || (t.owner_kind || '/' || t.owner_id)
    FROM found AS f
    CROSS JOIN LATERAL (
        SELECT outcome, due, id, owner_kind, owner_id FROM public.view_troubles_1
        WHERE workspace = $1 AND outcome = f.outcome AND (due, id) > (f.due, f.id) AND due < f.ends
              AND from_position <= $2 AND owner_kind || '/' || owner_id <> ALL (f.owners)
        ORDER BY due, id
        LIMIT 1
    ) AS t
    WHERE f.place < $7
)
SELECT f.slot, f.outcome, coalesce(c.kind, f.owner_kind) AS owner_kind, f.owner_id, f.due AS first, own.*
FROM found AS f
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS count, max(due) AS last, max(cadence_version) AS cadence_version, min(reason) AS reason,
           max(reason) AS other_reason, bool_or(ran) AS ran
    FROM public.view_troubles_1
    WHERE workspace = $1 AND owner_kind = f.owner_kind AND owner_id = f.owner_id AND outcome = f.outcome
          AND due >= f.begins AND due < f.ends AND from_position <= $2
) AS own
LEFT JOIN public.view_connect_jobs_1 AS c ON c.workspace = $1 AND c.id = f.owner_id AND f.owner_kind = 'job'
ORDER BY f.slot, f.outcome, f.place
