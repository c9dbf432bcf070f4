-- Every row of {{table}}, a declared table, in one order whatever the server's collation is.
SELECT x::text AS line FROM public.{{table}} AS x ORDER BY x::text COLLATE "C"
