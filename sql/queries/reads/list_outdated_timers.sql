-- $1 version of the zone data  $2 limit. Owners by the wall clock, which groups and Connect jobs always are, whose next moment
-- was found with an older one.
SELECT timers.workspace, timers.owner_kind, timers.owner_id
FROM public.view_timers_1 AS timers
LEFT JOIN public.view_schedules_1 AS schedules
  ON timers.owner_kind = 'schedule' AND schedules.workspace = timers.workspace AND schedules.id = timers.owner_id
WHERE timers.kind = 'next_due'
  AND timers.zone_data COLLATE "C" < $1::text COLLATE "C"
  AND (timers.owner_kind <> 'schedule' OR schedules.policies -> 'timing' ->> 'timing' = 'wall_clock')
ORDER BY timers.workspace, timers.owner_kind, timers.owner_id
LIMIT $2
