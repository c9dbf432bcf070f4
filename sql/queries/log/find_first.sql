SELECT type, convert_to(data::text, 'UTF8') AS data FROM events WHERE position = 1
