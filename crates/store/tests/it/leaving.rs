//! A process that leaves while one of its connections is still closing ends well.

use std::{ffi::c_int, time::Duration};

use testkit::Home;

/// Work of some tenths of a second for a connection's thread, after which it closes.
const WORK: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
                    SELECT COUNT(*) FROM n";
/// How long the process stays when the exit handlers of its libraries have run. A connection that needs
/// what they took away then meets its end in every run, and not once in a few hundred.
const LINGERS: Duration = Duration::from_secs(2);

/// Each test has a process of its own: this one fails by SIGSEGV when that leaves too early.
#[test]
fn a_process_leaves_well_while_a_connection_closes() {
    // Exit handlers run last come, first served: this one runs after those that come with SQLite.
    assert_eq!(atexit(linger), 0);
    testkit::run(async {
        let home = Home::sqlite().await;
        let mut raw = home.raw().await;
        let begun = tokio::time::timeout(Duration::ZERO, sqlx::query(WORK).execute(&mut raw)).await;
        assert!(begun.is_err(), "the thread is at work");
    });
}

#[expect(unsafe_code, reason = "C's own function, which is given a function of the type it asks for")]
unsafe extern "C" {
    safe fn atexit(handler: extern "C" fn()) -> c_int;
}

extern "C" fn linger() {
    std::thread::sleep(LINGERS);
}
