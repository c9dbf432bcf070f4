-- Prepares an export's session: the longest that a statement of it may take, $1 (text, milliseconds).
SELECT set_config('statement_timeout', $1, false),
       set_config('intervalstyle', 'postgres', false),
       set_config('bytea_output', 'hex', false),
       set_config('extra_float_digits', '1', false)
