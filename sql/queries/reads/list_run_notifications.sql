-- The messages about one run, in the order in which they were wanted.
SELECT n.id, n.kind, n.channel, n.recipient, n.subject_kind, n.subject_id, n.run, n.state, n.attempts, n.ambiguous,
       n.reason, n.detail, n.requested_at, n.next_at, n.ended_at
FROM public.view_notifications_1 AS k
CROSS JOIN LATERAL public.view_notifications_1_at(k.workspace, k.id, $3) AS n
WHERE k.workspace = $1 AND k.run = $2
ORDER BY k.requested_at, k.channel, k.recipient, k.id
LIMIT 200
