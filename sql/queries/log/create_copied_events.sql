CREATE TEMPORARY TABLE IF NOT EXISTS copied_events (
    position    bigint,
    workspace   text COLLATE "C",
    stream      text COLLATE "C",
    version     bigint,
    type        text COLLATE "C",
    schema      integer,
    actor       text COLLATE "C",
    command_id  text COLLATE "C",
    causation   text COLLATE "C",
    correlation text COLLATE "C",
    data        text COLLATE "C",
    leaf        bytea,
    chain       bytea
)
