-- What the view eventjobs_query reaches and an export may not: relations outside schema $1 (text, null: none is outside)
-- and, as the server understood the query, functions that do more than compute or tell of others' things, and types
-- that show names of others' things.
WITH rule AS (
    SELECT ev_class, ev_action::text AS tree FROM pg_rewrite WHERE ev_class = to_regclass('pg_temp.eventjobs_query')
)
SELECT 'the relation ' || n.nspname || '.' || c.relname AS reached
FROM rule
CROSS JOIN LATERAL regexp_matches(tree, ':relid (\d+)', 'g') AS found(oid)
JOIN pg_class c ON c.oid = found.oid[1]::oid AND c.oid <> ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> $1
UNION
SELECT 'the function ' || p.proname
FROM rule
CROSS JOIN LATERAL regexp_matches(tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') AS found(oid)
JOIN pg_proc p ON p.oid = found.oid[1]::oid
WHERE p.provolatile = 'v'
   OR (p.pronamespace = 'pg_catalog'::regnamespace
       AND p.proname ~ '^(pg_|has_|to_reg|inet_|txid_|row_security|format_type$|current_setting$)|_to_xml|_description$')
UNION
SELECT 'the type ' || t.typname
FROM rule
CROSS JOIN LATERAL regexp_matches(tree, 'type (\d+)', 'g') AS found(oid)
JOIN pg_type t ON t.oid = found.oid[1]::oid
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typname ~ '^_?reg'
UNION
SELECT 'what the server does not tell of'
WHERE NOT EXISTS (SELECT FROM rule WHERE tree LIKE '%{QUERY :commandType 1 %')
ORDER BY 1
LIMIT 1
