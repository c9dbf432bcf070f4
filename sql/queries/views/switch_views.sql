SELECT public.switch_views($1::text[])
