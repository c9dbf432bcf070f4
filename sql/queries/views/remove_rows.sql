DELETE FROM public.{{table}} AS x USING unnest({{keys_in}}) AS wanted ({{key}}) WHERE {{same_key}}
