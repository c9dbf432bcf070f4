-- $1 instance
DELETE FROM instances WHERE instance = $1
