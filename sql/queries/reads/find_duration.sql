-- How long the last 20 runs of an owner took, the 95th percentile.
SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY r.took) FROM (
    SELECT s.ended_at - s.started_at AS took FROM public.view_runs_1 AS r
    JOIN public.view_run_status_1 AS s ON s.workspace = r.workspace AND s.id = r.id
    WHERE r.workspace = $1 AND r.owner_kind = $2 AND r.owner_id = $3
          AND s.ended_at IS NOT NULL AND s.started_at IS NOT NULL
    ORDER BY r.opened_at DESC, r.from_position DESC
    LIMIT 20
) AS r
