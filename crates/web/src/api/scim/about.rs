//! What this server can do, in SCIM's own words: its configuration, its kinds of resources, their schemas.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{MOST_RESULTS, Provisioner, answer, attributes::USER, listed};
use crate::{App, Problem};

/// `GET /scim/v2/ServiceProviderConfig`
pub(super) async fn config(State(app): State<App>, _caller: Provisioner) -> Response {
    let base = app.identity.scim_address();
    let off = json!({ "supported": false });
    let config = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": MOST_RESULTS },
        "changePassword": off,
        "sort": off,
        "etag": off,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token made on the directory page of the administration.",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    });
    answer(StatusCode::OK, &config)
}

/// `GET /scim/v2/ResourceTypes`
pub(super) async fn resource_types(State(app): State<App>, _caller: Provisioner) -> Response {
    listed(1, 1, &[user_type(&app)])
}

/// `GET /scim/v2/ResourceTypes/{id}`
pub(super) async fn resource_type(
    State(app): State<App>,
    _caller: Provisioner,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    if id == "User" { Ok(answer(StatusCode::OK, &user_type(&app))) } else { Err(Problem::not_found()) }
}

/// `GET /scim/v2/Schemas`
pub(super) async fn schemas(State(app): State<App>, _caller: Provisioner) -> Response {
    listed(1, 1, &[user_schema(&app)])
}

/// `GET /scim/v2/Schemas/{id}`
pub(super) async fn schema(
    State(app): State<App>,
    _caller: Provisioner,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    if id == USER { Ok(answer(StatusCode::OK, &user_schema(&app))) } else { Err(Problem::not_found()) }
}

fn user_type(app: &App) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A person with an account that the directory made.",
        "schema": USER,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{}/ResourceTypes/User", app.identity.scim_address()),
        },
    })
}

fn user_schema(app: &App) -> Value {
    let parts = |parts: &[Value]| Value::Array(parts.to_vec());
    let mut name = attribute("name", "complex", "The name of the person.");
    name["subAttributes"] = parts(&[
        attribute("formatted", "string", "The name in full."),
        attribute("familyName", "string", "The family name."),
        attribute("givenName", "string", "The given name."),
    ]);
    let mut emails = attribute("emails", "complex", "Where the person is written to; at most 10.");
    emails["multiValued"] = true.into();
    let mut value = attribute("value", "string", "The address.");
    value["required"] = true.into();
    let mut kind = attribute("type", "string", "What the address is for.");
    kind["canonicalValues"] = json!(["work", "home", "other"]);
    emails["subAttributes"] =
        parts(&[value, kind, attribute("primary", "boolean", "Whether it is the one to use.")]);
    let mut user_name = attribute("userName", "string", "The name the person signs in with.");
    user_name["required"] = true.into();
    user_name["uniqueness"] = "server".into();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": USER,
        "name": "User",
        "description": "A person with an account.",
        "attributes": [
            user_name,
            name,
            attribute("displayName", "string", "What the person likes to be called."),
            attribute("title", "string", "What the person does."),
            emails,
            attribute("active", "boolean", "Whether the person may sign in."),
        ],
        "meta": {
            "resourceType": "Schema",
            "location": format!("{}/Schemas/{USER}", app.identity.scim_address()),
        },
    })
}

fn attribute(name: &str, kind: &str, description: &str) -> Value {
    let mut attribute = json!({
        "name": name,
        "type": kind,
        "multiValued": false,
        "description": description,
        "required": false,
        "mutability": "readWrite",
        "returned": "default",
    });
    if kind == "string" {
        attribute["caseExact"] = false.into();
        attribute["uniqueness"] = "none".into();
    }
    attribute
}
