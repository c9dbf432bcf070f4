SELECT d.id, d.version, d.content::text, d.published_at, d.published_by
FROM public.view_definitions_1_at($1, $2, $3) AS d
