-- $1 workspace  $2 position  $3 $4 from when and until before when  $5 $6 kind and id of one owner, or null  $7 one outcome, or
-- null  $8 how many. Moments that were answered together.
SELECT id, owner_kind, owner_id, cadence_version, due, last, count, anchor_day, outcome, reason, from_position
FROM public.view_occurrences_1
WHERE workspace = $1 AND count > 1 AND last >= $3 AND due < $4 AND from_position <= $2
      AND ($5::text IS NULL OR (owner_kind = $5 AND owner_id = $6::text)) AND ($7::text IS NULL OR outcome = $7)
ORDER BY due, id
LIMIT $8
