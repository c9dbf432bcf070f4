-- $1 position  $2 its chain value  $3 version of the code  $4 what is kept besides the owners
INSERT INTO ledger_position (position, chain, code_version, state)
VALUES ($1, $2, $3, $4::json)
ON CONFLICT (only_one) DO UPDATE
SET position = excluded.position, chain = excluded.chain, code_version = excluded.code_version, state = excluded.state
