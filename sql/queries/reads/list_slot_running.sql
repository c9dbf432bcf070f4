-- $1 workspace  $2 where slots begin, ascending, and where the last one ends. What runs: an entry is what one owner has of it in
-- one slot. They are few, so each is found by its key.
SELECT width_bucket(o.due, $2::timestamptz[])::integer AS slot, o.owner_kind, o.owner_id, 'running' AS outcome, true AS ran,
       count(*)::integer AS count, min(o.due) AS first, max(o.due) AS last, max(o.cadence_version) AS cadence_version,
       NULL AS reason, NULL AS other_reason
FROM public.view_run_status_1 AS s
CROSS JOIN LATERAL (
    SELECT * FROM public.view_occurrences_1 WHERE workspace = $1 AND id = s.id OFFSET 0
) AS o
WHERE s.workspace = $1 AND s.ended_at IS NULL
      AND o.due >= ($2::timestamptz[])[1] AND o.due < ($2::timestamptz[])[array_upper($2::timestamptz[], 1)]
GROUP BY 1, 2, 3
ORDER BY slot, first, owner_kind, owner_id
