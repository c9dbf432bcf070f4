-- $1 workspace  $2 where slots begin, ascending, each at a quarter of an hour, and where the last one ends. How many single
-- moments of each have which outcome; those that run are not among them.
SELECT width_bucket(quarter, $2::timestamptz[])::integer AS slot, outcome, sum(count)::integer AS count, NULL AS owner_kind
FROM public.view_outcomes_1
WHERE workspace = $1 AND quarter >= ($2::timestamptz[])[1] AND quarter < ($2::timestamptz[])[array_upper($2::timestamptz[], 1)]
GROUP BY 1, 2
