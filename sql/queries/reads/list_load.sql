-- Active schedules, groups and Connect jobs that are due before $3, those alike as one row: due first in the same minute, as
-- often, and as long as their runs among the workspace's last 5,000 took (the 95th percentile, in minutes). The one whose stream
-- is of the kind $4 and has the id $5 is left out. Of a slot schedule more is told only where it is due again before $3.
WITH recent AS (
    SELECT r.workspace, r.id, r.owner_id,
           CASE WHEN r.owner_kind IN ('schedule', 'group') THEN r.owner_kind ELSE 'job' END AS kind
    FROM public.view_runs_1 AS r
    WHERE r.workspace = $1 AND r.owner_kind NOT IN ('service', 'flow') AND r.from_position <= $2
    ORDER BY r.opened_at DESC, r.from_position DESC
    LIMIT 5000
), learned AS (
    SELECT recent.kind, recent.owner_id,
           ceil(extract(epoch FROM percentile_disc(0.95) WITHIN GROUP (ORDER BY s.ended_at - s.started_at)) / 60)::integer
           AS minutes
    FROM recent
    CROSS JOIN LATERAL public.view_run_status_1_at(recent.workspace, recent.id, $2) AS s
    WHERE s.ended_at IS NOT NULL AND s.started_at IS NOT NULL
    GROUP BY recent.kind, recent.owner_id
)
SELECT count(*) AS count, date_trunc('minute', n.due) AS due, s.cadence ->> 'unit' AS unit,
       (s.cadence ->> 'every')::integer AS every, s.cadence ->> 'cron' AS cron,
       CASE WHEN s.cadence ->> 'cron' IS NOT NULL THEN s.cadence ->> 'time_zone' END AS time_zone,
       NULL AS schedule, NULL::timestamptz AS expires_at, l.minutes
FROM public.view_schedules_1 AS k
CROSS JOIN LATERAL public.view_schedules_1_at(k.workspace, k.id, $2) AS s
CROSS JOIN LATERAL public.view_schedule_next_1_at(k.workspace, k.id, $2) AS n
LEFT JOIN learned AS l ON l.kind = 'schedule' AND l.owner_id = k.id
WHERE k.workspace = $1 AND s.active AND n.due < $3 AND ('schedule' = $4::text AND k.id = $5::text) IS NOT TRUE
GROUP BY 2, 3, 4, 5, 6, 7, 8, 9
UNION ALL
SELECT count(*), date_trunc('minute', n.due), NULL, NULL, NULL, NULL, often.schedule, often.expires_at, l.minutes
FROM public.view_slot_next_1 AS k
CROSS JOIN LATERAL public.view_slot_next_1_at(k.workspace, k.kind, k.id, $2) AS n
CROSS JOIN LATERAL public.view_slot_owners_1_at(k.workspace, k.kind, k.id, $2) AS s
LEFT JOIN LATERAL (
    SELECT s.schedule::text, CASE WHEN s.expires_at < $3 THEN s.expires_at END AS expires_at
    WHERE s.schedule ->> 'type' = 'hourly' OR (s.schedule ->> 'type' = 'daily' AND n.due < $3 - interval '20 hours')
) AS often ON true
LEFT JOIN learned AS l ON l.kind = k.kind AND l.owner_id = k.id
WHERE k.workspace = $1 AND (k.due < $3 OR k.from_position > $2) AND s.active AND n.due < $3 AND (k.kind = $4 AND k.id = $5) IS NOT TRUE
GROUP BY 2, 7, 8, 9
