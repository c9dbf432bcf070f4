SELECT d.id, d.version, d.content::text, d.published_at, d.published_by
FROM public.view_definitions_1 AS k
CROSS JOIN LATERAL public.view_definitions_1_at(k.workspace, k.id, $2) AS d
WHERE k.workspace = $1 AND k.id > $3
ORDER BY k.id
LIMIT $4
