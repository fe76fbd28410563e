//! Clauses, controls, checks, findings.
