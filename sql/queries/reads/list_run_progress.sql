-- How far each of these runs has come: the rows that began, as [row, whether it ended, the fraction of its last attempt,
-- whether it is suspended].
SELECT r.id, r.opened_at, r.jobs::text, s.state, s.started_at,
       (
           SELECT coalesce(
               json_agg(json_build_array(j."row", j.ended_at IS NOT NULL, a.fraction, j.state = 'suspended')), '[]'
           )
           FROM public.view_job_runs_1 AS k
           CROSS JOIN LATERAL public.view_job_runs_1_at(k.workspace, k.run, k."row", $3) AS j
           LEFT JOIN LATERAL public.view_attempts_1_at(j.workspace, j.run, j."row", j.attempt, $3) AS a ON true
           WHERE k.workspace = r.workspace AND k.run = r.id
       )::text AS begun
FROM public.view_runs_1 AS r
CROSS JOIN LATERAL public.view_run_status_1_at(r.workspace, r.id, $3) AS s
WHERE r.workspace = $1 AND r.id = ANY($2::text[]) AND r.from_position <= $3
