-- Rows that did not change since are counted as they stand; the past is looked up for the others alone.
SELECT count(*) FROM (
    SELECT s.id FROM public.view_flows_1 AS s
    WHERE s.workspace = $1 AND s.from_position <= $2 AND s.deleted_at IS NULL
          AND ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.name), lower($3)) > 0)
    UNION ALL
    SELECT s.id FROM public.view_flows_1 AS k
    CROSS JOIN LATERAL public.view_flows_1_at(k.workspace, k.id, $2) AS s
    WHERE k.workspace = $1 AND k.from_position > $2 AND s.deleted_at IS NULL
          AND ($3::text IS NULL OR strpos(lower(s.id || ' ' || s.name), lower($3)) > 0)
) AS flows
