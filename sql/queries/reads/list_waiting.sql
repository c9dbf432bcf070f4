-- $1 workspace  $2 position  $3 $4 kind and id of one owner, or null. The moments in the queues of their owners: they have a
-- cause of delay, and no outcome yet. Looked for under the ids of owners in whose queue something is, and nowhere else:
-- the causes of all delays that ever were are kept.
SELECT queues.owner_kind, queues.owner_id, jobs.kind AS job_kind,
       delays.run, delays.term, delays.reason, delays.limited_to, delays.open_run, delays.instance, delays.since
FROM public.view_queues_1 AS k
CROSS JOIN LATERAL public.view_queues_1_at(k.workspace, k.owner_kind, k.owner_id, $2) AS queues
LEFT JOIN LATERAL public.view_connect_jobs_1_at(k.workspace, k.owner_id, $2) AS jobs ON k.owner_kind = 'job'
JOIN public.view_delays_1 AS delays
  ON delays.workspace = k.workspace AND delays.term <= 0 AND delays.from_position <= $2
     AND delays.run > k.owner_kind || '.' || k.owner_id || '.' AND delays.run < k.owner_kind || '.' || k.owner_id || '/'
WHERE k.workspace = $1 AND queues.waiting > 0
  AND ($3::text IS NULL OR (coalesce(jobs.kind, k.owner_kind) = $3 AND k.owner_id = $4::text))
  AND NOT EXISTS (
      SELECT FROM public.view_occurrences_1 AS answered
      WHERE answered.workspace = $1 AND answered.id = delays.run AND answered.from_position <= $2)
ORDER BY delays.run, delays.since, delays.from_position
