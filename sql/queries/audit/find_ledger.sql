SELECT position, chain, state FROM ledger_position WHERE code_version = $1
