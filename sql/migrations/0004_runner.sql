-- migrate:up
-- Who is alive. A row per process start; `beat` only rises. No timestamps: no clock can end or stretch a lease.
CREATE TABLE instances (
    instance text COLLATE "C" PRIMARY KEY,
    beat bigint NOT NULL DEFAULT 0,
    zone_data text NOT NULL
);

-- What attempts said. Not facts: kept for a while, their count and SHA-256 are in the attempt's last event.
CREATE TABLE log_lines (
    workspace text COLLATE "C" NOT NULL,
    run text COLLATE "C" NOT NULL,
    row integer NOT NULL,
    attempt integer NOT NULL,
    line integer NOT NULL,
    at timestamptz NOT NULL,
    level text NOT NULL,
    text text NOT NULL,
    fields json NOT NULL,
    CONSTRAINT log_lines_pkey PRIMARY KEY (workspace, run, row, attempt, line)
);
CREATE INDEX log_lines_at ON log_lines USING brin (at);

GRANT SELECT, INSERT, UPDATE, DELETE ON instances, log_lines TO {{app_role}};

-- migrate:down
DROP TABLE log_lines;
DROP TABLE instances;
