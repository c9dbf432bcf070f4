-- $1 workspace, $2 stream, $3 version, $4 code version, $5 state (JSON as text)
INSERT INTO snapshots (workspace, stream, version, code_version, state)
VALUES ($1, $2, $3, $4, $5::json)
ON CONFLICT ON CONSTRAINT snapshots_pkey DO UPDATE
SET version = excluded.version, state = excluded.state, at = now()
WHERE snapshots.version < excluded.version
