//! `POST /v1/embeddings`.

use assistant::MAX_EMBEDDING_INPUTS;
use axum::extract::State;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    error::{self, invalid},
    json::Json,
};
use crate::{ApiCaller, App, Problem};

/// What to embed.
#[derive(Deserialize, ToSchema)]
pub(super) struct EmbeddingRequest {
    /// The model, as in `GET /v1/models`.
    model: String,
    /// The text, or at most 256 texts, to be turned into vectors.
    #[schema(value_type = Input)]
    input: Value,
    /// How vectors are written.
    #[serde(default)]
    encoding_format: Encoding,
    /// The length of the vectors; must be the model's own when given.
    #[serde(default)]
    dimensions: Option<usize>,
}

/// One text or several.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

/// How vectors are written.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    /// As JSON numbers.
    #[default]
    Float,
    /// As base64 of little-endian 32-bit floats.
    Base64,
}

/// One vector for each text.
#[derive(Serialize, ToSchema)]
pub(super) struct Embeddings {
    /// Always `list`.
    object: &'static str,
    data: Vec<Embedding>,
    model: String,
    usage: EmbeddingUsage,
}

/// The vector of one text.
#[derive(Serialize, ToSchema)]
struct Embedding {
    /// Always `embedding`.
    object: &'static str,
    /// Which of the texts.
    index: usize,
    embedding: Vector,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    Base64(String),
}

/// Tokens counted.
#[derive(Serialize, ToSchema)]
struct EmbeddingUsage {
    prompt_tokens: u32,
    total_tokens: u32,
}

/// Turns texts into vectors.
#[utoipa::path(
    post, path = "/v1/embeddings", tag = "Embeddings", operation_id = "createEmbedding",
    security(("key" = [])), request_body = EmbeddingRequest,
    responses(
        (status = 200, description = "One vector for each text.", body = Embeddings),
        (status = 400, description = "Something in the request is not right.", body = error::Envelope),
        (status = 401, description = "The API key is missing or not known.", body = error::Envelope),
        (status = 403, description = "The key may not do this, or requests from this address are not answered.", body = error::Envelope),
        (status = 404, description = "There is no such model for embeddings.", body = error::Envelope),
        (status = 408, description = "The body came too slowly.", body = error::Envelope),
        (status = 413, description = "The body is too large.", body = error::Envelope),
        (status = 415, description = "The body is not said to be JSON.", body = error::Envelope),
        (status = 429, description = "Too much at once; see Retry-After.", body = error::Envelope),
        (status = 503, description = "The model cannot answer now; see Retry-After.", body = error::Envelope),
    )
)]
pub(super) async fn embed(
    caller: ApiCaller,
    State(app): State<App>,
    Json(request): Json<EmbeddingRequest>,
) -> Result<axum::Json<Embeddings>, Problem> {
    let inputs = inputs(request.input)?;
    let made = app.assistant.embed(&caller.ctx, &request.model, inputs).await;
    let (vectors, usage) = made.map_err(|error| error::of_assistant(&error))?;
    if let (Some(wanted), Some(first)) = (request.dimensions, vectors.first())
        && wanted != first.len()
    {
        let detail = format!("This model's vectors have {} dimensions; leave the field out.", first.len());
        return Err(invalid("dimensions", detail));
    }
    let data = vectors.into_iter().enumerate().map(|(index, vector)| Embedding {
        object: "embedding",
        index,
        embedding: written(vector, request.encoding_format),
    });
    let usage = EmbeddingUsage { prompt_tokens: usage.prompt_tokens, total_tokens: usage.prompt_tokens };
    Ok(axum::Json(Embeddings { object: "list", data: data.collect(), model: request.model, usage }))
}

fn inputs(input: Value) -> Result<Vec<String>, Problem> {
    let texts = match serde_json::from_value(input) {
        Ok(Input::One(text)) => vec![text],
        Ok(Input::Many(texts)) => texts,
        // Tokens of another vendor's model mean nothing to this one.
        Err(_) => {
            return Err(invalid(
                "input",
                "Send a text or a list of texts; lists of tokens are not supported.",
            ));
        }
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(invalid("input", "There must be at least one text, and none may be empty."));
    }
    if texts.len() > MAX_EMBEDDING_INPUTS {
        return Err(invalid("input", format!("There may be at most {MAX_EMBEDDING_INPUTS} texts at once.")));
    }
    Ok(texts)
}

fn written(vector: Vec<f32>, encoding: Encoding) -> Vector {
    match encoding {
        Encoding::Float => Vector::Numbers(vector),
        Encoding::Base64 => {
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            Vector::Base64(STANDARD.encode(bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_numbers_or_little_endian_base64() {
        let json = |encoding| serde_json::to_value(written(vec![1.0, -0.5], encoding)).unwrap();
        assert_eq!(json(Encoding::Float), serde_json::json!([1.0, -0.5]));
        assert_eq!(json(Encoding::Base64), "AACAPwAAAL8=");
    }

    #[test]
    fn only_texts_are_taken() {
        let read = |json: &str| inputs(serde_json::from_str(json).unwrap());
        assert_eq!(read("\"a\"").unwrap(), ["a"]);
        assert_eq!(read("[\"a\", \"b\"]").unwrap(), ["a", "b"]);
        for refused in ["3", "{}", "\"\"", "[]", "[\"a\", \"\"]", "[1, 2]", "[[1], [2]]"] {
            assert_eq!(read(refused).unwrap_err().param.as_deref(), Some("input"), "{refused}");
        }
    }
}
