INSERT INTO public.{{table}} ({{columns}})
SELECT {{written}} FROM unnest({{rows_in}}) AS present ({{columns}})
ON CONFLICT ({{key}}) DO UPDATE SET ({{others}}) = ROW ({{excluded}})
