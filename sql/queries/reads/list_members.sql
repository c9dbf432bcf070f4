-- Those who are there, each with their keys that were not revoked.
SELECT m.id, m.version, m.name, m.email, m.roles::text, m.read_only, m.added_at, m.added_by, m.removed_at,
       i.issuer, i.subject,
       ARRAY(
           SELECT v.id FROM public.view_key_members_1 AS l
           CROSS JOIN LATERAL public.view_key_members_1_at(l.workspace, l.id, $2) AS o
           CROSS JOIN LATERAL public.view_keys_1_at(l.workspace, l.id, $2) AS v
           WHERE l.workspace = $1 AND l.member = k.id AND v.revoked_at IS NULL ORDER BY v.id
       ) AS keys
FROM public.view_members_1 AS k
CROSS JOIN LATERAL public.view_members_1_at(k.workspace, k.id, $2) AS m
LEFT JOIN LATERAL public.view_member_identities_1_at(k.workspace, k.id, $2) AS i ON true
WHERE k.workspace = $1 AND k.id > $3 AND m.removed_at IS NULL
      AND ($5::text IS NULL OR strpos(lower(concat_ws(' ', m.id, m.name, m.email, i.subject)), lower($5)) > 0)
ORDER BY k.id
LIMIT $4
