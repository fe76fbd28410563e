-- What a session has shown: a second factor, and when its person last confirmed who they are.
-- Every session from before began with a second factor.

ALTER TABLE sessions ADD COLUMN second_factor SMALLINT NOT NULL DEFAULT 1;
ALTER TABLE sessions ADD COLUMN confirmed BIGINT NOT NULL DEFAULT 0;
