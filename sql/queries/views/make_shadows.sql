SELECT public.make_view_shadows($1::text[])
