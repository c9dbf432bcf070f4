-- From 16 on a member may lack the right to SET ROLE; before, being a member was enough.
SELECT rolname = session_user AS is_owner,
       rolsuper AS is_superuser,
       pg_has_role(
           session_user,
           oid,
           CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END
       ) AS may_be_set
FROM pg_roles
WHERE rolname = $1
