//! Reading a JSON body with answers a program can use, without repeating its words.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use domain::enforced;
use serde::de::DeserializeOwned;

use crate::{
    App, Problem,
    input::{is_json, unsupported},
};

/// A body that was JSON of the expected shape.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(unsupported("Send JSON, with `Content-Type: application/json`."));
        }
        // A body cut for its size or slowness is told apart by the edge, which did the cutting.
        let body = Bytes::from_request(request, app).await;
        let body = body.map_err(|_| Problem::bad_request("The body could not be read to its end."))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| refusal(&error))
    }
}

/// Where the body is wrong. The parser's own words may quote it, so only the place is told.
pub(crate) fn refusal(error: &serde_json::Error) -> Problem {
    enforced!(WEB14);
    let at = format!("line {}, column {}", error.line(), error.column());
    Problem::bad_request(match error.classify() {
        serde_json::error::Category::Data => format!(
            "A field is missing or of the wrong kind at {at} of the body. GET /openapi.json describes what is expected."
        ),
        _ => format!("The body is not valid JSON (UTF-8) at {at}."),
    })
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    #[test]
    fn a_refusal_tells_the_place_and_nothing_of_what_was_sent() {
        let _proof = verifies!(WEB14);
        for (sent, place) in
            [("{\n  \"secret\": }", "line 2, column 13"), ("{\"secret\": 7}", "line 1, column 12")]
        {
            let error = serde_json::from_str::<std::collections::BTreeMap<String, String>>(sent).unwrap_err();
            let detail = refusal(&error).detail;
            assert!(detail.contains(place) && !detail.contains("secret"), "{detail}");
        }
    }
}
