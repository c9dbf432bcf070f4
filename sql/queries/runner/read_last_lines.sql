-- $1 workspace, $2 run, $3 row (null: all), $4 attempt (null: all), $5 until (null: now), $6 limit
SELECT row, attempt, line, at, level, text, fields
FROM (
    SELECT row, attempt, line, at, level, text, fields::text AS fields
    FROM log_lines
    WHERE workspace = $1
        AND run = $2
        AND ($3::int IS NULL OR row = $3)
        AND ($4::int IS NULL OR attempt = $4)
        AND ($5::timestamptz IS NULL OR at <= $5)
    ORDER BY at DESC, row DESC, attempt DESC, line DESC
    LIMIT $6
) AS newest
ORDER BY at, row, attempt, line
