-- $1 instance, $2 zone data
INSERT INTO instances (instance, beat, zone_data)
VALUES ($1, 1, $2)
ON CONFLICT (instance) DO NOTHING
