-- One batch without receipts, all or nothing, on exactly one head; append.sql says how, and is the same with receipts.
-- Texts come joined by line feeds, one line an event; hashes as one string of 64 bytes each (leaf and chain).
--   $1 head's position  $2 its chain  $3 at
--   $4 workspace  $5 stream  $6 version  $7 type  $8 schema  $9 actor  $10 command_id  $11 causation  $12 correlation
--   $13 data  $14 seals
-- Answers 1, or 0 where that head is no longer the log's head: then nothing was written.
WITH head AS MATERIALIZED (
    SELECT 1 FROM events
    WHERE position = $1::bigint AND chain = $2::bytea
      AND NOT EXISTS (SELECT FROM events WHERE position = $1::bigint + 1)
), event AS (
    INSERT INTO events (position, workspace, stream, version, type, schema, at, actor, command_id, causation,
                        correlation, data, leaf, chain)
    SELECT $1::bigint + e.n, e.workspace, e.stream, e.version::bigint, e.type, e.schema::integer, $3::timestamptz,
           e.actor, e.command_id, e.causation, e.correlation, e.data::json,
           substr($14::bytea, (e.n * 64 - 63)::integer, 32), substr($14::bytea, (e.n * 64 - 31)::integer, 32)
    FROM head, ROWS FROM (
        string_to_table($4::text, E'\n'), string_to_table($5::text, E'\n'), string_to_table($6::text, E'\n'),
        string_to_table($7::text, E'\n'), string_to_table($8::text, E'\n'), string_to_table($9::text, E'\n'),
        string_to_table($10::text, E'\n'), string_to_table($11::text, E'\n', ''),
        string_to_table($12::text, E'\n', ''), string_to_table($13::text, E'\n')
    ) WITH ORDINALITY AS e (workspace, stream, version, type, schema, actor, command_id, causation, correlation, data, n)
)
SELECT count(*) FROM head
