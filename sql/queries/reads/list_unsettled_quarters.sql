-- $1 workspace  $2 position  $3 the first moment  $4 the one after the last. The quarters of an hour in which something has had an
-- outcome since, so that their sums are not those of then.
SELECT quarter AS begins, quarter + interval '15 minutes' AS ends
FROM public.view_outcomes_1
WHERE workspace = $1 AND quarter >= $3 AND quarter < $4
GROUP BY quarter
HAVING max(from_position) > $2
ORDER BY quarter
