-- $1 workspace  $2 $3 where slots begin and end  $4 $5 kind and id of one owner, or null. How many answers lie in each, found in
-- the index alone.
SELECT b.slot::integer AS slot, every.count + own.count AS count
FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS b (begins, ends, slot)
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM public.view_occurrences_1
    WHERE $4::text IS NULL AND workspace = $1 AND due >= b.begins AND due < b.ends
) AS every
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM public.view_occurrences_1
    WHERE workspace = $1 AND owner_kind = $4 AND owner_id = $5::text AND due >= b.begins AND due < b.ends
) AS own
