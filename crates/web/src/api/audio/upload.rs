//! A recording as programs send it: `multipart/form-data`, held against what is known of its fields.

use axum::extract::{FromRequest, Multipart, Request, multipart::Field};
use http::header::CONTENT_LENGTH;
use zeroize::Zeroizing;

use crate::{App, Problem, api::error::invalid, input::unsupported};

/// Most fields of one form.
const MOST_FIELDS: usize = 32;
/// Longest value of a field that is no file, in bytes.
const LONGEST_VALUE: usize = 8 << 10;

/// A form with a file and what is to be done with it.
#[derive(Default)]
pub(super) struct Upload {
    /// The bytes of `file`.
    pub(super) file: Option<Zeroizing<Vec<u8>>>,
    /// Every other field, in order.
    fields: Vec<(String, String)>,
}

impl Upload {
    /// The value of the last field called `name`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether a list called `name` holds `value`.
    pub(super) fn lists(&self, name: &str, value: &str) -> bool {
        let is_named = |known: &str| known == name || known.strip_suffix("[]") == Some(name);
        self.fields.iter().any(|(known, held)| is_named(known) && held == value)
    }
}

impl FromRequest<App> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        // Never more than the edge lets through: the announced length is one it has looked at.
        let length = length.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
        let form = Multipart::from_request(request, app).await;
        let mut form =
            form.map_err(|_| unsupported("Send a form, with `Content-Type: multipart/form-data`."))?;
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(|_| misshapen())? {
            if upload.fields.len() >= MOST_FIELDS {
                return Err(Problem::bad_request("The form has more fields than this route knows."));
            }
            let name = field.name().unwrap_or_default().to_owned();
            if name == "file" && upload.file.is_some() {
                return Err(invalid("file", "There may be one file."));
            }
            if name == "file" {
                upload.file = Some(file(field, length).await?);
            } else {
                upload.fields.push((name, value(field).await?));
            }
        }
        Ok(upload)
    }
}

async fn file(mut field: Field<'_>, length: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    // At once: a vector that grows leaves copies behind in freed memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    while let Some(piece) = field.chunk().await.map_err(|_| misshapen())? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn value(mut field: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| misshapen())? {
        if bytes.len() + piece.len() > LONGEST_VALUE {
            return Err(Problem::bad_request("A field of the form is longer than it may be."));
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| misshapen())
}

/// What the edge cut for its size or slowness is told apart there.
fn misshapen() -> Problem {
    Problem::bad_request("The form is not written as `multipart/form-data`, or broke off.")
}
