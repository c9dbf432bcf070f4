-- $1 version of the zone data  $2 limit. Schedules by the wall clock whose next moment was found with an older one.
SELECT timers.workspace, timers.owner_id
FROM public.view_timers_1 AS timers
JOIN public.view_schedules_1 AS schedules ON schedules.workspace = timers.workspace AND schedules.id = timers.owner_id
WHERE timers.owner_kind = 'schedule' AND timers.kind = 'next_due'
  AND timers.zone_data COLLATE "C" < $1::text COLLATE "C"
  AND schedules.policies -> 'timing' ->> 'timing' = 'wall_clock'
ORDER BY timers.workspace, timers.owner_id
LIMIT $2
