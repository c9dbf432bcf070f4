CREATE TABLE IF NOT EXISTS eventjobs_migrations (
    number   integer     NOT NULL CONSTRAINT eventjobs_migrations_pkey PRIMARY KEY,
    name     text        NOT NULL,
    checksum bytea       NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
)
