-- Which groups are on a page: $1 workspace, $2 position, $3 text, $4 state, $5 type of schedule, $6 whether they run, $7 whether
-- their last day is $8 or before; $9 tells whether they stand by their next moment (without one last) or by name, $10 $11 after
-- which place and id the page begins, $12 how many, $13 whether they may be invalid at $14 where groups have jobs of the kinds
-- $15. A single moment before the date $16 is over; of what else has no next moment the reader finds out why. What a filter
-- needs is looked up for the rows that the others leave, one by one: that takes as long however little is known of the tables.
SELECT found.id, found.place
FROM (
    SELECT o.id,
           CASE WHEN $9::boolean THEN coalesce((
               SELECT to_char(n.due AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS')
               FROM public.view_slot_next_1_at($1, 'group', o.id, $2) AS n
           ), '~') ELSE lower(o.name) END COLLATE "C" AS place
    FROM (
        SELECT s.* FROM public.view_slot_owners_1 AS s
        WHERE s.workspace = $1 AND s.kind = 'group' AND s.from_position <= $2
        UNION ALL
        SELECT s.* FROM public.view_slot_owners_1 AS k
        CROSS JOIN LATERAL public.view_slot_owners_1_at(k.workspace, k.kind, k.id, $2) AS s
        WHERE k.workspace = $1 AND k.kind = 'group' AND k.from_position > $2
    ) AS o
    WHERE o.deleted_at IS NULL
          AND ($3::text IS NULL OR strpos(lower(o.id || ' ' || o.name || ' ' || o.description), lower($3)) > 0)
          AND ($4::text IS NULL OR $4 = CASE WHEN o.active THEN 'active' WHEN o.drafted THEN 'draft' ELSE 'inactive' END)
          AND ($5::text IS NULL OR o.schedule ->> 'type' = $5)
          AND ($6::boolean IS NULL OR $6 = coalesce((
              SELECT r.open_run IS NOT NULL FROM public.view_slot_runs_1_at($1, 'group', o.id, $2) AS r
          ), false))
          AND ($7::boolean IS NULL OR coalesce(o.expires_on <= $8::text, false) = $7)
          AND CASE
              WHEN $13::boolean IS NULL THEN true
              WHEN NOT o.active THEN NOT $13
              WHEN o.notification ->> 'mode' <> 'none' AND json_array_length(o.notification -> 'recipients') = 0
                   AND json_array_length(o.notification -> 'webhooks') = 0
                   AND (o.notification ->> 'mode' <> 'failure' OR json_array_length(o.notification -> 'failure_recipients') = 0)
                   THEN $13
              WHEN (
                  SELECT count(*) < 2 OR count(*) > count(*) FILTER (WHERE EXISTS (
                      SELECT FROM public.view_slot_owners_1_at($1, 'job', has.member -> 'job' ->> 'id', $2) AS s
                      CROSS JOIN public.view_connect_jobs_1_at($1, has.member -> 'job' ->> 'id', $2) AS c
                      WHERE s.active AND NOT s.expired AND s.deleted_at IS NULL
                            AND coalesce(s.expires_at > $14::timestamptz, true) AND s.schedule ->> 'type' = 'on_demand'
                            AND c.kind = ANY($15::text[]) AND c.kind <> 'partner' AND coalesce(c.member_of = o.id, true)
                  ))
                  FROM public.view_groups_1_at($1, o.id, $2) AS g
                  CROSS JOIN LATERAL json_array_elements(g.members) AS has (member)
              ) THEN $13
              WHEN o.schedule ->> 'type' = 'on_demand' THEN NOT $13
              WHEN EXISTS (
                  SELECT FROM public.view_slot_next_1_at($1, 'group', o.id, $2) AS n WHERE n.due IS NOT NULL
              ) THEN NOT $13
              WHEN o.schedule ->> 'type' = 'once' AND o.schedule ->> 'date' < $16::text THEN NOT $13
              ELSE true
          END
) AS found
WHERE $10::text IS NULL OR (found.place, found.id) > ($10 COLLATE "C", $11::text COLLATE "C")
ORDER BY found.place, found.id
LIMIT $12
