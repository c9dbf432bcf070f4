-- $1 workspace  $2 position  $3 where slots begin, ascending, each at a quarter of an hour, and where the last one ends. How many
-- single moments of each have which outcome; those that run are not among them, nor are those of quarters in which something
-- has had an outcome since.
WITH quarters AS (
    SELECT quarter, outcome, count, max(from_position) OVER (PARTITION BY quarter) AS settled_at
    FROM public.view_outcomes_1
    WHERE workspace = $1 AND quarter >= ($3::timestamptz[])[1] AND quarter < ($3::timestamptz[])[array_upper($3::timestamptz[], 1)]
)
SELECT width_bucket(quarter, $3::timestamptz[])::integer AS slot, outcome, sum(count)::integer AS count, NULL AS owner_kind
FROM quarters
WHERE settled_at <= $2
GROUP BY 1, 2
