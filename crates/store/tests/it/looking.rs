//! Opening a store for a look: what another version left, or nobody made, stays as it is.

use store::Error;
use testkit::both_engines;

/// Takes the newest migration back, as if the version before this one had written the store.
const BEFORE: &str =
    "ALTER TABLE sessions DROP COLUMN stepped; DELETE FROM _sqlx_migrations WHERE version = 9";

both_engines!(a_look_brings_no_tables_up_to_date, |home| {
    home.person("Ada").await;
    let shut = home.shut().await;
    shut.try_look().await.expect("today's tables").close().await;
    let home = shut.open().await;
    home.spoil(BEFORE).await;
    let shut = home.shut().await;
    for time in ["first", "again"] {
        let refused = shut.try_look().await.unwrap_err();
        assert!(matches!(refused, Error::Older { .. }), "{time}: {refused:?}");
    }
});

both_engines!(a_look_at_tables_of_a_later_version_says_so, |home| {
    home.spoil(
        "INSERT INTO _sqlx_migrations SELECT 999, description, installed_on, success, checksum, execution_time \
         FROM _sqlx_migrations WHERE version = 9",
    )
    .await;
    let refused = home.shut().await.try_look().await.unwrap_err();
    assert!(matches!(refused, Error::Newer { .. }), "{refused:?}");
});

#[test]
fn a_look_makes_no_store() {
    testkit::run(async {
        let shut = testkit::Home::sqlite().await.shut().await;
        let file = shut.folder().join("data/troth.db");
        std::fs::remove_file(&file).unwrap();
        let refused = shut.try_look().await.unwrap_err();
        assert!(matches!(refused, Error::Older { .. }) && !file.exists(), "{refused:?}");
    });
}
