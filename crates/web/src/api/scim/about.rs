//! What this server can do, in SCIM's own words: its configuration, its kinds of resources, their schemas.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{MOST_RESULTS, Provisioner, answer, attributes::USER, groups::GROUP, listed};
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
    listed(2, 1, &[user_type(&app), group_type(&app)])
}

/// `GET /scim/v2/ResourceTypes/{id}`
pub(super) async fn resource_type(
    State(app): State<App>,
    _caller: Provisioner,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    match id.as_str() {
        "User" => Ok(answer(StatusCode::OK, &user_type(&app))),
        "Group" => Ok(answer(StatusCode::OK, &group_type(&app))),
        _ => Err(Problem::not_found()),
    }
}

/// `GET /scim/v2/Schemas`
pub(super) async fn schemas(State(app): State<App>, _caller: Provisioner) -> Response {
    listed(2, 1, &[user_schema(&app), group_schema(&app)])
}

/// `GET /scim/v2/Schemas/{id}`
pub(super) async fn schema(
    State(app): State<App>,
    _caller: Provisioner,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    match id.as_str() {
        USER => Ok(answer(StatusCode::OK, &user_schema(&app))),
        GROUP => Ok(answer(StatusCode::OK, &group_schema(&app))),
        _ => Err(Problem::not_found()),
    }
}

/// `POST /scim/v2/.search`: people and groups are kept apart, so they are searched apart.
pub(super) async fn search_everything(_caller: Provisioner) -> Problem {
    let detail = "Search one kind of resource: users or groups, each at its own `.search`.";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "not-implemented", "That is not done here", detail)
}

fn user_type(app: &App) -> Value {
    kind(app, "User", USER, "A person with an account that the directory made.")
}

fn group_type(app: &App) -> Value {
    kind(app, "Group", GROUP, "A group that the directory made; what holds in it is said here.")
}

fn kind(app: &App, name: &str, schema: &str, description: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": name,
        "name": name,
        "endpoint": format!("/{name}s"),
        "description": description,
        "schema": schema,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{}/ResourceTypes/{name}", app.identity.scim_address()),
        },
    })
}

fn group_schema(app: &App) -> Value {
    let mut name = attribute("displayName", "string", "What the group is called.");
    name["required"] = true.into();
    name["uniqueness"] = "server".into();
    let mut members = attribute("members", "complex", "The people in it; at most 2,000.");
    members["multiValued"] = true.into();
    let immutable = |mut part: Value| {
        part["mutability"] = "immutable".into();
        part
    };
    let mut reference = attribute("$ref", "reference", "Where the person is.");
    reference["referenceTypes"] = json!(["User"]);
    let mut of = attribute("type", "string", "What is in it.");
    of["canonicalValues"] = json!(["User"]);
    members["subAttributes"] = Value::Array(
        [attribute("value", "string", "The id of the person."), reference, of].map(immutable).to_vec(),
    );
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": GROUP,
        "name": "Group",
        "description": "People for whom the same holds.",
        "attributes": [name, members],
        "meta": {
            "resourceType": "Schema",
            "location": format!("{}/Schemas/{GROUP}", app.identity.scim_address()),
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
    let mut active =
        attribute("active", "boolean", "Whether the person may sign in; true where it is left out.");
    active["required"] = true.into();
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
            active,
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
