//! What a browser still has of a person after they signed out: nothing.

use std::path::Path;

use domain::verifies;

use crate::house::{House, Look};

/// A word that stands nowhere but in what this person wrote.
const MARK: &str = "marzipan-heliograph-4417";
/// Where Chromium keeps what pages store and what it caches, within a profile.
const KEPT: [&str; 7] = [
    "Cache",
    "Code Cache",
    "Local Storage",
    "Session Storage",
    "IndexedDB",
    "Service Worker",
    "Shared Dictionary",
];

#[test]
fn nothing_is_left_in_the_browser_after_signing_out() {
    let _proof = verifies!(WEB08);
    testkit::run(async {
        let house = House::open(Look::Desk).await;
        house.set_up().await;
        house.say(MARK).await;
        house.until("document.querySelectorAll('.message.answer .tools').length === 1").await;
        house.go("/admin/addresses").await;
        house.look_at("addresses").await;
        house.go("/account").await;
        house.click("form[action='/sign-out'] button").await;
        house.until("location.pathname === '/sign-in'").await;
        let counts = "const all = [indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations(), \
                      navigator.storage.getDirectory().then((folder) => Array.fromAsync(folder.keys()))]; \
                      return Promise.all(all).then((all) => [...all.map((one) => one.length), \
                      localStorage.length, sessionStorage.length, document.cookie.length])";
        assert_eq!(house.js(counts).await, serde_json::json!([0, 0, 0, 0, 0, 0, 0]));
        // Cookies no script can see among them.
        assert_eq!(house.cookies().await, Vec::<String>::new());

        // The way back leads to the sign-in page, not to what was on the screen.
        house.js("history.back()").await;
        house
            .until("document.readyState === 'complete' && document.querySelector('#password') !== null")
            .await;
        assert!(!house.text("body").await.contains(MARK));
        let found = holding(&house.profile(), false);
        assert!(found.is_empty(), "what was written lies in {found:?}");
        house.close().await;
    });
}

/// The files below `folder`, inside one of [`KEPT`], that hold the mark.
fn holding(folder: &Path, inside: bool) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            found.extend(holding(&path, inside || KEPT.iter().any(|kept| name == *kept)));
        } else if inside {
            // A file the browser removes meanwhile holds nothing.
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(MARK.len()).any(|part| part == MARK.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
