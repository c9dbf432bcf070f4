-- Job runs of Connect jobs that ended, the newest first: $1 workspace, $2 position, $3 $4 in which window, $5 $6 before which
-- instant and position the page begins, $7 state, $8 job, $9 group, $10 cause, $11 how many.
SELECT t.run, t."row", t.job, o.name, c.kind, t.owner_kind, t.owner_id, t.cause, t.state, t.ended_at, t.from_position,
       r.cause_detail, r.due, j.reason, j.detail, j.counts::text, a.started_at
FROM (
    SELECT * FROM public.view_connect_job_runs_1 AS ended
    WHERE ended.workspace = $1 AND ended.from_position <= $2 AND ended.state IN ('succeeded', 'failed', 'aborted')
          AND ended.ended_at IS NOT NULL AND ended.ended_at >= $3::timestamptz
          AND ended.ended_at < coalesce($4::timestamptz, 'infinity')
          AND (ended.ended_at, ended.from_position) < (coalesce($5::timestamptz, 'infinity'), coalesce($6::bigint, 0))
          AND ($7::text IS NULL OR ended.state = $7)
          AND ($8::text IS NULL OR ended.job = $8)
          AND ($9::text IS NULL OR (ended.owner_kind = 'group' AND ended.owner_id = $9))
          AND ($10::text IS NULL OR ended.cause = $10)
    ORDER BY ended.ended_at DESC, ended.from_position DESC
    LIMIT $11
) AS t
JOIN public.view_runs_1 AS r ON r.workspace = $1 AND r.id = t.run
LEFT JOIN LATERAL public.view_slot_owners_1_at($1, 'job', t.job, $2) AS o ON true
LEFT JOIN LATERAL public.view_connect_jobs_1_at($1, t.job, $2) AS c ON true
LEFT JOIN LATERAL public.view_job_runs_1_at($1, t.run, t."row", $2) AS j ON true
LEFT JOIN LATERAL public.view_attempts_1_at($1, t.run, t."row", 1, $2) AS a ON true
ORDER BY t.ended_at DESC, t.from_position DESC
