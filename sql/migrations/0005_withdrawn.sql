-- migrate:up
-- An instance that is stopping: it beats until what runs has ended, and takes no more work.
ALTER TABLE instances ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE instances DROP COLUMN withdrawn;
