-- How many schedules a workspace has by the view, and the position up to which that is so.
SELECT c.position, (
    SELECT count(*) FROM public.view_schedules_1 AS s WHERE s.workspace = $1 AND s.deleted_at IS NULL
) AS number
FROM public.view_checkpoints AS c
WHERE c.name = 'schedules' AND c.version = 1
