-- $1 workspace  $2 where slots begin, ascending, and where the last one ends  $3 $4 kind and id of one owner, or null  $5 one
-- outcome, or null  $6 how many entries of a slot. What did not succeed, or not yet: an entry is what had one outcome in one slot
-- for one owner; what asks for somebody comes first. Answers that stand for several moments are only counted, as `storm`.
-- Clocks that differ may let a run end before it was due, by much less than the day that is looked back further.
WITH told AS (
    SELECT due, owner_kind, owner_id, cadence_version, CASE WHEN count = 1 THEN outcome ELSE 'storm' END AS outcome, reason, false AS ran
    FROM public.view_occurrences_1
    WHERE workspace = $1 AND outcome <> 'ran' AND due >= ($2::timestamptz[])[1] AND due < ($2::timestamptz[])[array_upper($2::timestamptz[], 1)]
    UNION ALL
    SELECT o.due, o.owner_kind, o.owner_id, o.cadence_version, s.state, NULL, true
    FROM (
        SELECT id, state FROM public.view_run_status_1
        WHERE workspace = $1 AND ended_at >= ($2::timestamptz[])[1] - interval '1 day' AND state <> 'succeeded'
        UNION ALL
        SELECT id, 'running' FROM public.view_run_status_1 WHERE workspace = $1 AND ended_at IS NULL
    ) AS s
    CROSS JOIN LATERAL (
        SELECT * FROM public.view_occurrences_1 WHERE workspace = $1 AND id = s.id OFFSET 0  -- they are few: each by its key
    ) AS o
    WHERE o.due >= ($2::timestamptz[])[1] AND o.due < ($2::timestamptz[])[array_upper($2::timestamptz[], 1)]
), entries AS (
    SELECT width_bucket(due, $2::timestamptz[])::integer AS slot, owner_kind, owner_id, outcome, count(*)::integer AS count,
           min(due) AS first, max(due) AS last, max(cadence_version) AS cadence_version, min(reason) AS reason,
           max(reason) AS other_reason, bool_or(ran) AS ran,
           array_position(ARRAY['failed', 'missed', 'aborted', 'skipped', 'running', 'storm'], outcome) AS weight
    FROM told
    WHERE ($3::text IS NULL OR (owner_kind = $3 AND owner_id = $4::text)) AND ($5::text IS NULL OR outcome = $5)
    GROUP BY 1, 2, 3, 4
)
SELECT * FROM (
    SELECT *, row_number() OVER w AS place, lag(outcome) OVER w IS DISTINCT FROM outcome AS is_first,
           (sum(count) OVER (PARTITION BY slot, weight))::integer AS of_outcome
    FROM entries
    WINDOW w AS (PARTITION BY slot ORDER BY weight, first, owner_kind, owner_id)
) AS placed
WHERE place <= $6 OR is_first
ORDER BY slot, place
