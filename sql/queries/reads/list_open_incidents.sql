SELECT i.incident, i.alert, i.state, i.since, i.due, i.last, i.count, i.reason, i.run, i.raised_at
FROM public.view_incidents_1 AS k
CROSS JOIN LATERAL public.view_incidents_1_at(k.workspace, k.schedule, k.incident, $3) AS i
WHERE k.workspace = $1 AND k.schedule = $2 AND i.state = 'open'
ORDER BY i.raised_at, i.incident
