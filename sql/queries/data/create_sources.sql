-- Makes the list of loaded sources in a database that is not ours; ours are made with the schema.
CREATE TABLE IF NOT EXISTS eventjobs_sources (
    run       text        NOT NULL,
    "row"     integer     NOT NULL,
    job       text        NOT NULL,
    "table"   text        NOT NULL,
    sha256    text        NOT NULL,
    recipe    text        NOT NULL,
    is_first  boolean     NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT eventjobs_sources_once PRIMARY KEY (run, "row")
)
