-- $1 instance, $2 the beat that was seen standing still
DELETE FROM instances WHERE instance = $1 AND beat = $2
