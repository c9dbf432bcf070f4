-- What differs from the definition in a workspace: overridden cadences, and what was deleted here.
SELECT m.kind, m.id, m.feature, m.start_by, m.start_at, m.start_position, m.period_by, m.period_at, m.period_position,
       m.removed, m.cadence::text, s.cadence::text AS own
FROM public.view_managed_1 AS k
CROSS JOIN LATERAL public.view_managed_1_at(k.workspace, k.kind, k.id, $3) AS m
LEFT JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $3) AS s ON k.kind = 'schedule'
WHERE k.workspace = $1 AND k.integration = $2
      AND (m.removed = 'asked' OR (m.removed IS NULL AND (m.start_by IS NOT NULL OR m.period_by IS NOT NULL)))
ORDER BY m.kind, m.id
