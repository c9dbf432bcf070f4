-- How many Connect jobs a workspace has by the view, and the position up to which that is so.
SELECT c.position, (
    SELECT count(*) FROM public.view_slot_owners_1 AS s
    WHERE s.workspace = $1 AND s.kind = 'job' AND s.deleted_at IS NULL
) AS number
FROM public.view_checkpoints AS c
WHERE c.name = 'slot_owners' AND c.version = 1
