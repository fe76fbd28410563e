-- Which generation of tokens the last confirmation belongs to: access tokens from before it count no more.

ALTER TABLE sessions ADD COLUMN stepped BIGINT NOT NULL DEFAULT 0;
