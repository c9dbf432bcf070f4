-- By what an owner was due: $1 workspace, $2 its id, $3 position, $4 its kind.
SELECT cadence::text, NULL AS schedule, NULL::timestamptz AS expires_at, policies::text
FROM public.view_schedules_1_at($1, $2, $3)
WHERE $4::text = 'schedule'
UNION ALL
SELECT NULL, schedule::text, expires_at, policies::text
FROM public.view_slot_owners_1_at($1, CASE WHEN $4 = 'group' THEN 'group' ELSE 'job' END, $2, $3)
WHERE $4::text <> 'schedule'
