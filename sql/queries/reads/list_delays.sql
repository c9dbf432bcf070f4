SELECT run, term, reason, limited_to, open_run, instance, since
FROM public.view_delays_1
WHERE workspace = $1 AND run = ANY($2::text[]) AND from_position <= $3
ORDER BY run, since, from_position
