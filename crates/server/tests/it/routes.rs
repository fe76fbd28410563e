//! Every route, every method, as nobody, as a program and as a page of another site.
//!
//! The routes are read from the sources, so that a new one is in the matrix without anybody thinking of it.

use std::{collections::BTreeSet, fs, path::Path};

use domain::verifies;
use reqwest::{Method, StatusCode};

use crate::house::{Place, Stranger};

/// Every path given to `.route(` in the sources of `web`.
pub(crate) fn paths() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(path).unwrap();
                // What follows the tests of a file is not served.
                let source = source.split("#[cfg(test)]").next().unwrap_or_default();
                let routes =
                    source.split(".route(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                found.extend(routes.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }
    found
}

/// A path with something in the place of its parameters.
pub(crate) fn filled(path: &str) -> String {
    let fill = |part: &str| match part {
        "{*id}" => "work/large".to_owned(),
        "{hash}" => "0".to_owned(),
        part if part.starts_with('{') => "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn nobody_gets_anything_but_what_is_public() {
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let stranger = Stranger::at(&instance);
    let paths = paths();
    assert!(paths.len() > 40, "the routes were not found: {paths:?}");
    let public: Vec<String> =
        web::public::PUBLIC.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let mut matrix = String::new();
    for path in &paths {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let request = stranger.ask(method.clone(), &filled(path)).header("sec-fetch-site", "same-origin");
            let status = request.send().await.unwrap().status();
            if status == StatusCode::METHOD_NOT_ALLOWED {
                continue;
            }
            let asked = format!("{method} {path}");
            assert!(!status.is_server_error(), "{asked}: {status}");
            assert!(!status.is_success() || public.contains(&asked), "{asked} was done for nobody: {status}");
            matrix.push_str(&format!("{asked:60} {}\n", status.as_u16()));
        }
    }
    for route in &public {
        assert!(matrix.contains(&format!("{route} ")), "{route} is listed as public and is no route");
    }
    insta::assert_snapshot!(matrix);
    instance.stop().await;
}

#[tokio::test]
async fn no_route_writes_for_a_page_of_another_site() {
    let _proof = verifies!(WEB04);
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let stranger = Stranger::at(&instance);
    for path in paths().iter().filter(|path| !path.starts_with("/v1/") && !path.starts_with("/scim/")) {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for (name, value) in
                [("sec-fetch-site", "cross-site"), ("origin", "https://strange.invalid"), ("accept", "*/*")]
            {
                let request = stranger.ask(method.clone(), &filled(path)).header(name, value);
                assert_eq!(
                    request.send().await.unwrap().status(),
                    StatusCode::FORBIDDEN,
                    "{method} {path} {name}"
                );
            }
        }
    }
    instance.stop().await;
}
