-- Each Connector/Module/Type with its handler: of how many services of the workspace, and from which of its registrations.
SELECT type, handler, sum(services)::integer AS services,
       array_agg(DISTINCT integration ORDER BY integration) FILTER (WHERE integration IS NOT NULL) AS integrations
FROM (
    SELECT t.type, s.handler, 1 AS services, NULL AS integration
    FROM public.view_services_1 AS k
    CROSS JOIN LATERAL public.view_services_1_at(k.workspace, k.id, $2) AS s
    CROSS JOIN LATERAL public.view_service_types_1_at(k.workspace, k.id, $2) AS t
    WHERE k.workspace = $1 AND s.deleted_at IS NULL
    UNION ALL
    SELECT one ->> 'type', one ->> 'handler', 0, i.id
    FROM public.view_integrations_1 AS k
    CROSS JOIN LATERAL public.view_integrations_1_at(k.workspace, k.id, $2) AS i
    CROSS JOIN LATERAL public.view_definitions_1_at(i.definition_workspace, i.id, $2) AS d
    CROSS JOIN LATERAL json_array_elements(d.content -> 'services') AS one
    WHERE k.workspace = $1
) AS typed
WHERE type IS NOT NULL
GROUP BY type, handler
ORDER BY type COLLATE "C", handler COLLATE "C"
