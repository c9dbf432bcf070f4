SELECT key, body_hash, status, convert_to(answer::text, 'UTF8') AS answer, first, last
FROM receipts WHERE key = ANY ($1::text[])
