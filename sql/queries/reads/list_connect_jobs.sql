-- Which Connect jobs are on a page: $1 workspace, $2 position, $3 text, $4 state, $5 type of schedule, $6 whether they run,
-- $7 whether their last day is $8 or before; $9 tells whether they stand by their next moment (without one last) or by name,
-- $10 $11 after which place and id the page begins, $12 how many, $13 kind, $14 whether they are in a group, $15 in which, $16
-- whether they qualify at $17 for the group $18, or a new one, where groups have jobs of the kinds $19. As for groups, what a
-- filter needs is looked up for the rows that the others leave.
SELECT found.id, found.place
FROM (
    SELECT o.id,
           CASE WHEN $9::boolean THEN coalesce((
               SELECT to_char(n.due AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS')
               FROM public.view_slot_next_1_at($1, 'job', o.id, $2) AS n
           ), '~') ELSE lower(o.name) END COLLATE "C" AS place
    FROM (
        SELECT s.* FROM public.view_slot_owners_1 AS s
        WHERE s.workspace = $1 AND s.kind = 'job' AND s.from_position <= $2
        UNION ALL
        SELECT s.* FROM public.view_slot_owners_1 AS k
        CROSS JOIN LATERAL public.view_slot_owners_1_at(k.workspace, k.kind, k.id, $2) AS s
        WHERE k.workspace = $1 AND k.kind = 'job' AND k.from_position > $2
    ) AS o
    WHERE o.deleted_at IS NULL
          AND ($3::text IS NULL OR strpos(lower(o.id || ' ' || o.name || ' ' || o.description), lower($3)) > 0)
          AND ($4::text IS NULL OR $4 = CASE WHEN o.active THEN 'active' WHEN o.drafted THEN 'draft' ELSE 'inactive' END)
          AND ($5::text IS NULL OR o.schedule ->> 'type' = $5)
          AND ($6::boolean IS NULL OR $6 = (
              EXISTS (SELECT FROM public.view_slot_runs_1_at($1, 'job', o.id, $2) AS r WHERE r.open_run IS NOT NULL)
              OR EXISTS (SELECT FROM public.view_turns_1_at($1, 'job', o.id, $2) AS t WHERE t.run IS NOT NULL)
          ))
          AND ($7::boolean IS NULL OR coalesce(o.expires_on <= $8::text, false) = $7)
          AND CASE WHEN coalesce($13::text, $14::boolean::text, $15::text, $16::boolean::text) IS NULL THEN true ELSE (
              SELECT ($13 IS NULL OR c.kind = $13)
                     AND ($14 IS NULL OR (c.member_of IS NOT NULL) = $14)
                     AND ($15 IS NULL OR c.member_of = $15)
                     AND ($16 IS NULL OR $16 = (
                         o.active AND NOT o.expired AND coalesce(o.expires_at > $17::timestamptz, true)
                         AND o.schedule ->> 'type' = 'on_demand' AND c.kind = ANY($19::text[]) AND c.kind <> 'partner'
                         AND (c.member_of IS NULL OR coalesce(c.member_of = $18::text, false))
                     ))
              FROM public.view_connect_jobs_1_at($1, o.id, $2) AS c
          ) END
) AS found
WHERE $10::text IS NULL OR (found.place, found.id) > ($10 COLLATE "C", $11::text COLLATE "C")
ORDER BY found.place, found.id
LIMIT $12
