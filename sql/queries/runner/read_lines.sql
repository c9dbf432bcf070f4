-- $1 workspace, $2 run, $3 row (null: all), $4 attempt (null: all), $5.. after (row, attempt, line), $8 limit
SELECT row, attempt, line, at, level, text, fields::text AS fields
FROM log_lines
WHERE workspace = $1
    AND run = $2
    AND ($3::int IS NULL OR row = $3)
    AND ($4::int IS NULL OR attempt = $4)
    AND (row, attempt, line) > ($5::int, $6::int, $7::int)
ORDER BY row, attempt, line
LIMIT $8
