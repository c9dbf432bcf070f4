INSERT INTO public.{{past}} ({{columns}}, to_position)
SELECT {{written}}, to_position FROM unnest({{rows_in}}) AS closed ({{columns}}, to_position)
