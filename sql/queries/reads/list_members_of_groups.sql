-- $1 workspace  $2 ids of jobs  $3 position. What groups show of their jobs, and go by.
SELECT o.id, o.name, o.drafted, o.active, o.schedule::text, o.deleted_at, o.expires_on, o.expires_at, o.expired,
       c.kind, c.member_of, m.run AS in_run
FROM unnest($2::text[]) AS wanted (id)
CROSS JOIN LATERAL public.view_slot_owners_1_at($1, 'job', wanted.id, $3) AS o
CROSS JOIN LATERAL public.view_connect_jobs_1_at($1, wanted.id, $3) AS c
LEFT JOIN LATERAL public.view_turns_1_at($1, 'job', wanted.id, $3) AS m ON true
