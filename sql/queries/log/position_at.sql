-- The last position whose time is at or before $1: a binary search, because `at` never falls along positions.
WITH RECURSIVE bounds (low, high) AS (
    SELECT 0::bigint, (SELECT coalesce(max(position), 0) FROM events)
    UNION ALL
    SELECT CASE WHEN e.at <= $1 THEN m.middle ELSE b.low END, CASE WHEN e.at <= $1 THEN b.high ELSE m.middle - 1 END
    FROM bounds b
    CROSS JOIN LATERAL (SELECT (b.low + b.high + 1) / 2 AS middle) m
    CROSS JOIN LATERAL (SELECT at FROM events WHERE position = m.middle) e
    WHERE b.low < b.high
)
SELECT low FROM bounds WHERE low = high
