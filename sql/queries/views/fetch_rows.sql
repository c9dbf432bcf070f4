-- {{table}} and the lists of columns come from the declared tables of projections, never from outside. OFFSET 0 keeps it
-- one index look-up a key, whatever was known of the table's size when the statement was planned.
SELECT {{read}}
FROM unnest({{keys_in}}) AS wanted ({{key}})
CROSS JOIN LATERAL (SELECT * FROM public.{{table}} AS x WHERE {{same_key}} OFFSET 0) AS found
