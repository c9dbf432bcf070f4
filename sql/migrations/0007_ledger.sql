-- migrate:up

-- How far the audit of occurrences is that runs beside the service, and what it keeps of each owner. A cache: without
-- it, or with another version of the code, the audit begins at position 1.
CREATE TABLE ledger_position (
    only_one     boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    position     bigint NOT NULL,
    chain        bytea NOT NULL,
    code_version text NOT NULL,
    state        json NOT NULL
);

CREATE TABLE ledger (
    workspace text COLLATE "C" NOT NULL,
    stream    text COLLATE "C" NOT NULL,
    state     json NOT NULL,
    CONSTRAINT ledger_pkey PRIMARY KEY (workspace, stream)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_position, ledger TO {{app_role}};

-- migrate:down
DROP TABLE ledger;
DROP TABLE ledger_position;
