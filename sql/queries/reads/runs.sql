-- $1 workspace, $2 position, $3 id (null: a list), $4 owner kind, $5 owner id, $6 state, $7 since, $8 until,
-- $9, $10 before this (opened_at, from_position), $11 limit. The newest first.
SELECT
    k.id, k.owner_kind, k.owner_id, k.cause, k.cause_detail, k.due, k.cadence_version, k.on_failure,
    k.missed_occurrences, k.missed_first, k.missed_last, k.resumes, k.opened_at, k.jobs::text AS jobs,
    k.from_position, s.state, s.reason, s.stop_mode, s.term, s.instance, s.started_at, s.ended_at,
    s.counts::text AS counts
FROM view_runs_1 AS k
CROSS JOIN LATERAL view_run_status_1_at(k.workspace, k.id, $2) AS s
WHERE
    k.workspace = $1
    AND k.from_position <= $2
    AND ($3::text IS NULL OR k.id = $3)
    AND ($4::text IS NULL OR (k.owner_kind = $4 AND k.owner_id = $5::text))
    AND ($6::text IS NULL OR s.state = $6)
    AND ($7::timestamptz IS NULL OR k.opened_at >= $7)
    AND ($8::timestamptz IS NULL OR k.opened_at < $8)
    AND ($9::timestamptz IS NULL OR (k.opened_at, k.from_position) < ($9, $10::bigint))
ORDER BY k.opened_at DESC, k.from_position DESC
LIMIT $11
