-- Active schedules with one of these services ($2) or exclusive flows ($3) in their tables, those due first first, and how
-- long the last 20 runs of each took. $4 is left out.
WITH sharing AS (
    SELECT u.schedule, u.service AS job FROM public.view_service_uses_1 AS u
    WHERE u.workspace = $1 AND u.service = ANY($2::text[]) AND u.attached
    UNION ALL
    SELECT u.schedule, u.flow FROM public.view_flow_uses_1 AS u
    JOIN public.view_flows_1 AS f ON f.workspace = u.workspace AND f.id = u.flow
    WHERE u.workspace = $1 AND u.flow = ANY($3::text[]) AND u.attached AND f.exclusive
), first AS (
    SELECT s.workspace, s.id, s.cadence, s.policies, n.due, n.local, n.fold, n.asked, n.zone_data, n.timing,
           array_agg(sharing.job ORDER BY sharing.job) AS jobs
    FROM sharing
    JOIN public.view_schedules_1 AS s ON s.workspace = $1 AND s.id = sharing.schedule
    JOIN public.view_schedule_next_1 AS n ON n.workspace = s.workspace AND n.id = s.id
    WHERE s.active AND n.due IS NOT NULL AND s.id <> $4
    GROUP BY s.workspace, s.id, n.workspace, n.id
    ORDER BY n.due, s.id
    LIMIT 200
)
SELECT first.id, first.cadence::text, first.policies::text, first.due, first.local, first.fold, first.asked,
       first.zone_data, first.timing::text, first.jobs, learned.lasts
FROM first
LEFT JOIN LATERAL (
    SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY r.took) AS lasts FROM (
        SELECT s.ended_at - s.started_at AS took FROM public.view_runs_1 AS r
        JOIN public.view_run_status_1 AS s ON s.workspace = r.workspace AND s.id = r.id
        WHERE r.workspace = first.workspace AND r.owner_kind = 'schedule' AND r.owner_id = first.id
              AND s.ended_at IS NOT NULL AND s.started_at IS NOT NULL
        ORDER BY r.opened_at DESC, r.from_position DESC
        LIMIT 20
    ) AS r
) AS learned ON true
ORDER BY first.due, first.id
