//! What tests share: throw-away databases, instances, browsers. Never a dependency of running code.
