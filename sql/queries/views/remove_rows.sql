DELETE FROM public.{{table}} AS x USING unnest({{keys_in}}) AS gone ({{key}}) WHERE {{same_key}}
