SELECT at FROM events WHERE position = $1
