-- How calls of the voice desk ended. Nothing in it says who called, who answered or what was said, so nothing is
-- sealed: `way`, `outcome` and `category` are words of closed lists, `held` whether staff held the call.

CREATE TABLE desk_calls (
    id TEXT PRIMARY KEY,
    began BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    way TEXT NOT NULL,
    outcome TEXT NOT NULL,
    category TEXT,
    held BIGINT NOT NULL
);
CREATE INDEX desk_calls_by_end ON desk_calls (ended, id);
