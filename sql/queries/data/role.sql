-- Makes the schema and role of workspace $1 (text) with the SCRAM verifier $2 (text or null); answers the role's name.
SELECT public.eventjobs_data_role($1, $2)
