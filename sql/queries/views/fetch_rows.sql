-- {{table}} and the lists of columns come from the declared tables of projections, never from outside.
SELECT {{read}} FROM public.{{table}} AS x JOIN unnest({{keys_in}}) AS wanted ({{key}}) USING ({{key}})
