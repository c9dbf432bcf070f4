-- $1 workspace  $2 position  $3 where the slots begin, ascending, and where the last one ends  $4 $5 kind and id of one owner, or
-- null  $6 $7 where the windows begin and end that are gone through, of everybody. How many moments of each slot have which
-- outcome, gone through one by one; what ran has the outcome of its run. Of one owner, and of what runs, these are entries: what
-- one owner has of an outcome in a slot. Moments that were answered together are left out.
WITH answered AS (
    SELECT width_bucket(o.due, $3::timestamptz[])::integer AS slot, o.owner_kind, o.owner_id, o.cadence_version, o.due, o.reason,
           o.outcome = 'ran' AS ran,
           CASE
               WHEN o.outcome <> 'ran' THEN o.outcome
               WHEN s.from_position <= $2 THEN s.state
               ELSE (SELECT past.state FROM public.view_run_status_1_past AS past
                     WHERE past.workspace = $1 AND past.id = o.id AND past.to_position > $2 ORDER BY past.to_position LIMIT 1)
           END AS state
    FROM (
        SELECT o.*
        FROM unnest($6::timestamptz[], $7::timestamptz[]) AS w (begins, ends)
        CROSS JOIN LATERAL (
            SELECT id, owner_kind, owner_id, cadence_version, due, outcome, reason FROM public.view_occurrences_1
            WHERE $4::text IS NULL AND workspace = $1 AND due >= w.begins AND due < w.ends AND count = 1 AND from_position <= $2
            OFFSET 0
        ) AS o
        UNION ALL
        SELECT id, owner_kind, owner_id, cadence_version, due, outcome, reason FROM public.view_occurrences_1
        WHERE workspace = $1 AND owner_kind = $4 AND owner_id = $5::text AND due >= ($3::timestamptz[])[1]
              AND due < ($3::timestamptz[])[array_upper($3::timestamptz[], 1)] AND count = 1 AND from_position <= $2
    ) AS o
    LEFT JOIN public.view_run_status_1 AS s ON s.workspace = $1 AND s.id = o.id
), told AS (
    SELECT *, CASE WHEN state IN ('failed', 'missed', 'aborted', 'skipped', 'succeeded') THEN state ELSE 'running' END AS outcome
    FROM answered
), named AS (
    SELECT *, $4::text IS NOT NULL OR outcome = 'running' AS is_entry FROM told
)
SELECT slot, outcome, CASE WHEN is_entry THEN owner_kind END AS owner_kind, CASE WHEN is_entry THEN owner_id END AS owner_id,
       count(*)::integer AS count, min(due) AS first, max(due) AS last, max(cadence_version) AS cadence_version,
       min(reason) AS reason, max(reason) AS other_reason, bool_or(ran) AS ran
FROM named
GROUP BY 1, 2, 3, 4
ORDER BY slot, first, owner_kind, owner_id
