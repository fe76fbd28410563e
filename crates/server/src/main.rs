//! The `troth` binary; everything it does is in the library beside it.

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Overwrites what is freed: copies of what people said are made where nobody here can wipe them, in buffers of
/// TLS, WebSockets, JSON and HTTP (decision 30).
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> std::process::ExitCode {
    server::run()
}
