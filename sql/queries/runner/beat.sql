-- $1 instance. Returns nothing where the row was taken away: the instance was declared gone.
UPDATE instances SET beat = beat + 1
WHERE instance = $1
RETURNING beat
