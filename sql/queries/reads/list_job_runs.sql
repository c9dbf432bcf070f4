SELECT j."row", j.state, j.reason, j.detail, j.attempt, j.retry_at, j.holder, j.joined, j.deadline, j.ended_at,
       j.counts::text, j.output::text
FROM public.view_job_runs_1 AS k
CROSS JOIN LATERAL public.view_job_runs_1_at(k.workspace, k.run, k."row", $3) AS j
WHERE k.workspace = $1 AND k.run = $2
