-- As append.sql, but the events were copied into the session's temporary table before.
--   $1 head's position  $2 its chain  $3 at  $4 keys  $5 body hashes  $6 statuses  $7 answers  $8 firsts  $9 lasts
WITH head AS MATERIALIZED (
    SELECT 1 FROM events
    WHERE position = $1::bigint AND chain = $2::bytea
      AND NOT EXISTS (SELECT FROM events WHERE position = $1::bigint + 1)
), receipt AS (
    INSERT INTO receipts (key, body_hash, status, answer, first, last, at)
    SELECT r.key, substr($5::bytea, (r.n * 32 - 31)::integer, 32), r.status::integer, r.answer::json,
           r.first::bigint, r.last::bigint, $3::timestamptz
    FROM head, ROWS FROM (
        string_to_table($4::text, E'\n'), string_to_table($6::text, E'\n'), string_to_table($7::text, E'\n'),
        string_to_table($8::text, E'\n'), string_to_table($9::text, E'\n')
    ) WITH ORDINALITY AS r (key, status, answer, first, last, n)
), event AS (
    INSERT INTO events (position, workspace, stream, version, type, schema, at, actor, command_id, causation,
                        correlation, data, leaf, chain)
    SELECT c.position, c.workspace, c.stream, c.version, c.type, c.schema, $3::timestamptz, c.actor, c.command_id,
           c.causation, c.correlation, c.data::json, c.leaf, c.chain
    FROM head, copied_events c
)
SELECT count(*) FROM head
