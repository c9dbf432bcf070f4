SELECT '0'::json
