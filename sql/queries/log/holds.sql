SELECT EXISTS (SELECT FROM events WHERE position = $1 AND chain = $2)
