-- The newest first.
SELECT n.id, n.kind, n.channel, n.recipient, n.subject_kind, n.subject_id, n.run, n.state, n.attempts, n.ambiguous,
       n.reason, n.detail, n.requested_at, n.next_at, n.ended_at
FROM public.view_notifications_1 AS k
CROSS JOIN LATERAL public.view_notifications_1_at(k.workspace, k.id, $2) AS n
WHERE k.workspace = $1
      AND k.requested_at >= coalesce($3::timestamptz, '-infinity') AND k.requested_at < coalesce($4::timestamptz, 'infinity')
      AND (k.requested_at, k.id) < (coalesce($5::timestamptz, 'infinity'), coalesce($6::text, ''))
      AND ($7::text IS NULL OR n.state = $7) AND ($8::text IS NULL OR n.channel = $8)
      AND ($9::text IS NULL OR (n.subject_kind = $9 AND n.subject_id = $10))
ORDER BY k.requested_at DESC, k.id DESC
LIMIT $11
