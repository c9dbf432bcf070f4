-- $1 workspace[], $2 run[], $3 row[], $4 attempt[], $5 line[], $6 at[], $7 level[], $8 text[], $9 fields[] (JSON as text)
-- A line that is there already was written by a try whose answer was lost.
INSERT INTO log_lines (workspace, run, row, attempt, line, at, level, text, fields)
SELECT workspace, run, row, attempt, line, at, level, text, fields::json
FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::int[], $6::timestamptz[], $7::text[], $8::text[], $9::text[])
    AS lines (workspace, run, row, attempt, line, at, level, text, fields)
ON CONFLICT ON CONSTRAINT log_lines_pkey DO NOTHING
