-- Whether the sums of outcomes are as new as the runs and the occurrences that they count.
SELECT count(DISTINCT position) = 1 AS is_level FROM public.view_checkpoints
WHERE name IN ('occurrences', 'outcomes', 'runs') AND version = 1
