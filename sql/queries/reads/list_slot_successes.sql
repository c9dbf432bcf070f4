-- $1 workspace  $2 $3 where slots begin and end  $4 $5 kind and id of one owner, or null  $6 how many of the first that ran in a
-- slot are looked at  $7 how many entries of a slot. What succeeded: an entry is what one owner has of it in one slot.
WITH looked_at AS (
    SELECT b.slot::integer AS slot, o.*
    FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS b (begins, ends, slot)
    CROSS JOIN LATERAL (
        (SELECT id, owner_kind, owner_id, cadence_version, due FROM public.view_occurrences_1
         WHERE $4::text IS NULL AND workspace = $1 AND due >= b.begins AND due < b.ends AND outcome = 'ran'
         ORDER BY due, id
         LIMIT $6)
        UNION ALL
        (SELECT id, owner_kind, owner_id, cadence_version, due FROM public.view_occurrences_1
         WHERE workspace = $1 AND owner_kind = $4 AND owner_id = $5::text AND due >= b.begins AND due < b.ends AND outcome = 'ran'
         ORDER BY due, id
         LIMIT $6)
    ) AS o
), entries AS (
    SELECT slot, owner_kind, owner_id, count(*)::integer AS count, min(due) AS first, max(due) AS last,
           max(cadence_version) AS cadence_version
    FROM looked_at
    WHERE NOT EXISTS (
              SELECT FROM public.view_run_status_1 AS s
              WHERE s.workspace = $1 AND s.id = looked_at.id AND s.ended_at >= ($2::timestamptz[])[1] - interval '1 day' AND s.state <> 'succeeded')
          AND NOT EXISTS (
              SELECT FROM public.view_run_status_1 AS s WHERE s.workspace = $1 AND s.id = looked_at.id AND s.ended_at IS NULL)
    GROUP BY slot, owner_kind, owner_id
)
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY slot ORDER BY first, owner_kind, owner_id) AS place FROM entries
) AS placed
WHERE place <= $7
ORDER BY slot, place
