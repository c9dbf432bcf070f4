-- What each part of the database weighs, with its indexes: the log, receipts, views, log lines, snapshots, loaded tables.
SELECT part, sum(pg_total_relation_size(oid))::bigint AS bytes
FROM (
    SELECT
        c.oid,
        CASE
            WHEN n.nspname LIKE 'data\_%' THEN 'tables'
            WHEN c.relname LIKE 'events%' THEN 'log'
            WHEN c.relname LIKE 'view\_%' THEN 'views'
            WHEN c.relname = 'log_lines' THEN 'lines'
            WHEN c.relname = 'receipts' THEN 'receipts'
            WHEN c.relname = 'snapshots' THEN 'snapshots'
            ELSE 'other'
        END AS part
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND (n.nspname = 'public' OR n.nspname LIKE 'data\_%')
) AS relations
GROUP BY part
