SELECT position, code_version FROM ledger_position FOR UPDATE
