SELECT s."row", s.attempt, s.waits_for, s.since, s.released_at, s.answered_at, s.answer::text
FROM public.view_suspensions_1 AS k
CROSS JOIN LATERAL public.view_suspensions_1_at(k.workspace, k.run, k."row", k.attempt, $3) AS s
WHERE k.workspace = $1 AND k.run = $2
