//! Rows sealed at rest, on SQLite or PostgreSQL; every write leaves an audit entry.
