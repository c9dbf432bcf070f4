SELECT workspace, stream, state FROM ledger
