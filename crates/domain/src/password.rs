//! Password profiles: pure rules, no hashing.
