//! Style sheets, scripts, fonts and pictures, embedded in the binary.
//!
//! Templates ask [`href`] for an address; [`routes`] serves it. Every address carries one hash over all
//! files, so a browser may keep a file for ever, relative addresses between files hold, and a new
//! version is a new address. Invariant: nothing here comes from a person or a model.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384;

/// One file: its name, its media type, its bytes.
struct Asset(&'static str, &'static str, &'static [u8]);

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const FONT: &str = "font/woff2";

macro_rules! file {
    ($path:literal, $name:literal, $kind:expr) => {
        Asset($name, $kind, include_bytes!(concat!("../assets/", $path)))
    };
}

static ASSETS: &[Asset] = &[
    file!("base.css", "base.css", CSS),
    file!("prose.css", "prose.css", CSS),
    file!("chat.css", "chat.css", CSS),
    file!("pages.css", "pages.css", CSS),
    file!("voice.css", "voice.css", CSS),
    file!("js/ask.js", "ask.js", JS),
    file!("js/calls.js", "calls.js", JS),
    file!("js/chat.js", "chat.js", JS),
    file!("js/copy.js", "copy.js", JS),
    file!("js/dialogs.js", "dialogs.js", JS),
    file!("js/dom.js", "dom.js", JS),
    file!("js/forms.js", "forms.js", JS),
    file!("js/idle.js", "idle.js", JS),
    file!("js/palette.js", "palette.js", JS),
    file!("js/passkey.js", "passkey.js", JS),
    file!("js/rail.js", "rail.js", JS),
    file!("js/readiness.js", "readiness.js", JS),
    file!("js/scroll.js", "scroll.js", JS),
    file!("js/setup.js", "setup.js", JS),
    file!("js/stream.js", "stream.js", JS),
    file!("js/thread.js", "thread.js", JS),
    file!("js/voice.js", "voice.js", JS),
    file!("js/voice-line.js", "voice-line.js", JS),
    file!("js/voice-sound.js", "voice-sound.js", JS),
    file!("js/voice-worklet.js", "voice-worklet.js", JS),
    file!("mark.svg", "mark.svg", "image/svg+xml"),
    file!("fonts/sans.woff2", "sans.woff2", FONT),
    file!("fonts/sans-italic.woff2", "sans-italic.woff2", FONT),
    file!("fonts/sans-ext.woff2", "sans-ext.woff2", FONT),
    file!("fonts/serif.woff2", "serif.woff2", FONT),
    file!("fonts/serif-italic.woff2", "serif-italic.woff2", FONT),
    file!("fonts/mono.woff2", "mono.woff2", FONT),
    file!("fonts/devanagari.woff2", "devanagari.woff2", FONT),
    file!("fonts/math.woff2", "math.woff2", FONT),
    file!("fonts/OFL.txt", "fonts.txt", TEXT),
];

/// FNV-1a over every name and byte: it tells versions apart and protects nothing.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for Asset(name, kind, bytes) in ASSETS {
        for byte in [name.as_bytes(), kind.as_bytes(), bytes].concat() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
});

/// The address of a file.
#[must_use]
pub fn href(name: &str) -> String {
    format!("/assets/{}/{name}", *HASH)
}

/// What a browser holds each file against before it runs it, by name: a page of one version and a script of
/// another, or a cache that changed it, come to nothing.
static INTEGRITY: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    // TLS brings the one SHA-384 of this room.
    let hash = TLS13_AES_256_GCM_SHA384.tls13().map(|suite| suite.common.hash_provider);
    let of = |bytes| hash.map(|hash| format!("sha384-{}", STANDARD.encode(hash.hash(bytes))));
    ASSETS.iter().filter_map(|Asset(name, _, bytes)| Some((*name, of(bytes)?))).collect()
});

/// The `integrity` of a file.
#[must_use]
pub fn integrity(name: &str) -> Option<&'static str> {
    INTEGRITY.get(name).map(String::as_str)
}

/// The route that serves them.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{hash}/{name}", get(serve))
}

async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(Asset(_, kind, bytes)) = ASSETS.iter().find(|asset| asset.0 == name).filter(|_| hash == *HASH)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = format!("\"{hash}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, *kind)], *bytes).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fetch(hash: &str, name: &str, tag: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(tag) = tag {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(tag).expect("a tag"));
        }
        serve(Path((hash.to_owned(), name.to_owned())), headers).await
    }

    #[tokio::test]
    async fn files_are_served_for_ever_under_their_hash_alone() {
        let response = fetch(&HASH, "base.css", None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], CSS);
        assert!(
            response.headers()[header::CACHE_CONTROL].to_str().is_ok_and(|value| value.contains("immutable"))
        );
        let tag = response.headers()[header::ETAG].to_str().expect("a tag").to_owned();
        assert_eq!(fetch(&HASH, "base.css", Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(fetch("0000000000000000", "base.css", None).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(fetch(&HASH, "../Cargo.toml", None).await.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn every_file_has_its_hash_and_no_two_the_same() {
        let hashes: std::collections::HashSet<_> =
            ASSETS.iter().filter_map(|asset| integrity(asset.0)).collect();
        assert_eq!(hashes.len(), ASSETS.len());
        // SHA-384 of nothing, which rustls is asked for here as above.
        let hash = TLS13_AES_256_GCM_SHA384.tls13().expect("TLS 1.3").common.hash_provider.hash(b"");
        assert!(
            STANDARD
                .encode(hash)
                .starts_with("OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb")
        );
    }

    #[test]
    fn files_name_only_files_that_exist() {
        for Asset(file, kind, bytes) in ASSETS.iter().filter(|asset| matches!(asset.1, CSS | JS)) {
            let text = std::str::from_utf8(bytes).expect("text");
            let marks = if *kind == CSS { ["url(\"", "@import \""] } else { ["from \"./", "import(\"./"] };
            for name in marks
                .iter()
                .flat_map(|mark| text.split(mark).skip(1))
                .filter_map(|rest| rest.split('"').next())
            {
                assert!(ASSETS.iter().any(|asset| asset.0 == name), "{file} names {name}");
            }
        }
    }

    #[test]
    fn fonts_stay_small_and_bring_their_licence() {
        let fonts: usize = ASSETS.iter().filter(|asset| asset.1 == FONT).map(|asset| asset.2.len()).sum();
        assert!(fonts < 600 * 1024, "{fonts}");
        assert!(ASSETS.iter().any(|asset| asset.0 == "fonts.txt"));
    }

    #[test]
    fn scripts_make_no_markup_but_in_one_place_and_keep_nothing() {
        for Asset(file, _, bytes) in ASSETS.iter().filter(|asset| asset.1 == JS) {
            let text = std::str::from_utf8(bytes).expect("text");
            for forbidden in [
                "localStorage",
                "sessionStorage",
                "indexedDB",
                "document.cookie",
                "eval(",
                "new Function",
                "document.write",
            ] {
                assert!(!text.contains(forbidden), "{file} uses {forbidden}");
            }
            if *file != "dom.js" {
                for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "createPolicy", "setHTML"] {
                    assert!(!text.contains(sink), "{file} uses {sink}");
                }
            }
        }
    }
}
