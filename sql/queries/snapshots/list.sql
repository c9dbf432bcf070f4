-- $1 code version
SELECT workspace, stream FROM snapshots WHERE code_version = $1
