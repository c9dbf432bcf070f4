-- $1 workspace  $2 position  $3 where slots begin, ascending, each at a quarter of an hour, and where the last one ends. What runs,
-- and did at the position, in quarters in which nothing has had an outcome since: an entry is what one owner has of it in one
-- slot. They are few, so each is found by its key.
SELECT width_bucket(o.due, $3::timestamptz[])::integer AS slot, o.owner_kind, o.owner_id, 'running' AS outcome, true AS ran,
       count(*)::integer AS count, min(o.due) AS first, max(o.due) AS last, max(o.cadence_version) AS cadence_version,
       NULL AS reason, NULL AS other_reason
FROM public.view_run_status_1 AS s
CROSS JOIN LATERAL (
    SELECT * FROM public.view_occurrences_1 WHERE workspace = $1 AND id = s.id OFFSET 0
) AS o
WHERE s.workspace = $1 AND s.ended_at IS NULL AND o.from_position <= $2
      AND o.due >= ($3::timestamptz[])[1] AND o.due < ($3::timestamptz[])[array_upper($3::timestamptz[], 1)]
      AND NOT EXISTS (
          SELECT FROM public.view_outcomes_1
          WHERE workspace = $1 AND quarter = date_bin('15 minutes', o.due, 'epoch') AND from_position > $2
      )
GROUP BY 1, 2, 3
ORDER BY slot, first, owner_kind, owner_id
