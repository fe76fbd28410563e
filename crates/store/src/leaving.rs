//! Leaving: the process waits for SQLite's threads before C's exit handlers take away what they stand on.
//!
//! Called by `db` before the first connection. Every SQLite connection has a thread of its own, and nobody
//! waits for it when a connection or a pool is only dropped. SQLCipher frees its heap, its locks and its
//! cipher in an exit handler, libcrypto its tables in another; a connection that is still closing then
//! reads freed memory, and a process whose work is done ends with SIGSEGV.
//! Invariant: no exit handler of SQLCipher or libcrypto runs while a connection is open, unless the
//! connections stay open beyond [`PATIENCE`] (`docs/decisions/0019-leaving.md`).

use std::{
    ffi::{c_char, c_int, c_void},
    ptr,
    sync::{Condvar, Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use libsqlite3_sys::{SQLITE_OK, sqlite3, sqlite3_api_routines, sqlite3_auto_extension};

/// Longest time the process waits; a connection that closes may itself wait this long for another's lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// libcrypto's `OPENSSL_INIT_NO_ATEXIT`.
const NO_EXIT_HANDLER: u64 = 0x0008_0000;

/// Threads that have opened a SQLite connection and have not ended.
static PRESENT: Mutex<usize> = Mutex::new(0);
/// Told when one of them ends.
static GONE: Condvar = Condvar::new();

thread_local! {
    static PRESENCE: Presence = Presence::begin();
}

/// One thread with a connection. Dropped when the thread ends, after the connection.
struct Presence;

impl Presence {
    fn begin() -> Self {
        *present() += 1;
        Self
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        *present() -= 1;
        GONE.notify_all();
    }
}

fn present() -> MutexGuard<'static, usize> {
    PRESENT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(unsafe_code, reason = "two functions of C, as their manuals spell them")]
unsafe extern "C" {
    safe fn atexit(handler: extern "C" fn()) -> c_int;
    fn OPENSSL_init_crypto(options: u64, settings: *const c_void) -> c_int;
}

/// Has the process wait, whenever it leaves, for the threads of connections opened after this. Any number
/// of calls are one.
pub(crate) fn wait_for_connections() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Exit handlers run last come, first served. SQLCipher's comes with SQLite's own beginning, in
        // `sqlite3_auto_extension`, so that ours, registered after it, runs before it.
        #[expect(unsafe_code, reason = "SQLite and libcrypto have no other door")]
        // SAFETY: both may be called by any thread at any time. The first is given no settings; the second a
        // function of the type SQLite calls, which lives as long as the process.
        let begun = unsafe {
            OPENSSL_init_crypto(NO_EXIT_HANDLER, ptr::null()) == 1
                && sqlite3_auto_extension(Some(opened)) == SQLITE_OK
        };
        let done = begun && atexit(leave) == 0;
        if !done {
            // The connections work without it; the process may crash when it has done everything.
            tracing::warn!("the process cannot wait for its database connections when it leaves");
        }
    });
}

/// SQLite calls this on the connection's own thread, when it has opened.
extern "C" fn opened(_: *mut sqlite3, _: *mut *mut c_char, _: *const sqlite3_api_routines) -> c_int {
    // A thread that is ending has been counted out; it opens nothing that would need the count.
    let _ = PRESENCE.try_with(|_| ());
    SQLITE_OK
}

/// The process leaves.
extern "C" fn leave() {
    let _ = GONE.wait_timeout_while(present(), PATIENCE, |present| *present > 0);
}
