-- For servers before 16: why a text is not a value of a type, or null. A session's own function, gone with it.
CREATE OR REPLACE FUNCTION pg_temp.eventjobs_cast_error(value text, type_name text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT CAST($1 AS %s)', type_name) USING value;
    RETURN NULL;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RETURN SQLERRM;
END
$$
