//! The `troth` binary.
fn main() {}
