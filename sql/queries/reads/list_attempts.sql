SELECT a."row", a.attempt, a.state, a.reason, a.detail, a.term, a.started_at, a.ended_at, a.retry_at, a.counts::text,
       a.fraction, a.progress, a.progressed_at, a.log_lines, a.log_sha256
FROM public.view_attempts_1 AS k
CROSS JOIN LATERAL public.view_attempts_1_at(k.workspace, k.run, k."row", k.attempt, $3) AS a
WHERE k.workspace = $1 AND k.run = $2
ORDER BY k."row", k.attempt
