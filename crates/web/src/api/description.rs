//! `GET /openapi.json`: the description of the API, made from the types that read and write it.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{audio, chat, embeddings, models};
use crate::voice::tickets;

/// The API as `OpenAPI` 3.1 says it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Troth",
        description = "Language models behind OpenAI's API. Point any OpenAI client here and give it a personal \
                       API key. Failures are `{\"error\": {…}}`; every response carries `x-request-id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        models::list,
        models::get,
        chat::complete,
        embeddings::embed,
        audio::speech::speak,
        audio::transcription::transcribe,
        tickets::client_secret,
        tickets::grant,
    ),
    modifiers(&Key),
)]
struct Description;

/// How callers prove who they are.
struct Key;

impl Modify for Key {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A personal API key, `troth_…`, from the account page."))
            .build();
        let components = description.components.get_or_insert_with(Components::new);
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// Serves the description. It tells nothing about this instance, so nobody needs a key for it.
pub(super) async fn get() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_changes_only_on_purpose() {
        let mut description = Description::openapi();
        description.info.version = "[version]".into();
        insta::assert_snapshot!(description.to_pretty_json().expect("JSON"));
    }
}
