-- Makes the list of loads in a database that is not ours; ours are made with the schema.
CREATE TABLE IF NOT EXISTS eventjobs_loads (
    run       text        NOT NULL,
    "row"     integer     NOT NULL,
    job       text        NOT NULL,
    attempt   integer     NOT NULL,
    term      bigint      NOT NULL,
    sha256    text        NOT NULL,
    counts    json        NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT eventjobs_loads_once PRIMARY KEY (run, "row")
)
