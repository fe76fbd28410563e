//! What people see: the pages, the requests of their scripts, and the words.
//!
//! Called by [`crate::router`] for the routes and by the edge for [`error_page`]. Pages are rendered on
//! the server and work without scripts as far as that makes sense; templates hold no words of their own
//! where [`words`] has them, no style and no script.

pub mod account;
pub mod addresses;
pub mod admin;
pub mod break_glass;
pub mod chat;
pub mod confirm;
pub mod directory;
pub mod error;
pub mod frame;
pub mod handlers;
pub mod icons;
pub mod idle;
pub mod models;
pub mod reviews;
pub mod role_words;
pub mod roles;
pub mod setup;
pub mod sign_in;
pub mod sso;
pub mod trust;
pub mod words;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};

use crate::{App, assets};

pub use error::error_page;

/// Every route of the pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/setup", get(setup::show).post(setup::who))
        .route("/setup/factor", post(setup::factor))
        .route("/setup/advice", post(setup::advice))
        .route("/sign-in", get(sign_in::show).post(sign_in::who))
        .route("/sign-in/factor", post(sign_in::factor))
        .route("/sign-in/password", post(sign_in::renew))
        .route("/sign-out", post(sign_in::out))
        .route("/confirm", get(confirm::show).post(confirm::form))
        .route("/confirm/api", post(confirm::api))
        .route("/session/left", get(idle::left_now))
        .route("/session/stay", post(idle::stay))
        .route("/account", get(account::show))
        .route("/account/looks", post(account::looks))
        .route("/account/password", post(account::password))
        .route("/account/codes", post(account::codes))
        .route("/account/sessions/end", post(account::sessions::end_others))
        .route("/account/sessions/{id}/end", post(account::sessions::end))
        .route("/account/keys", post(account::keys::make))
        .route("/account/notices", post(account::sessions::put_away))
        .route("/account/keys/{id}/replace", post(account::keys::replace))
        .route("/account/keys/{id}/revoke", post(account::keys::revoke))
        // The edge bounds this body; the framework's own, lower bound would come first.
        .route("/account/import", post(account::import).layer(DefaultBodyLimit::disable()))
        .route("/account/delete-chats", post(account::delete_chats))
        .route("/admin/addresses", get(addresses::show).post(addresses::set))
        .route("/admin/addresses/{id}/remove", post(addresses::remove))
        .route("/admin", get(admin::show))
        .route("/models", get(models::show))
        .route("/trust", get(trust::show))
        .merge(sso::routes())
        .merge(directory::routes())
        .merge(roles::routes())
        .merge(reviews::routes())
        .merge(break_glass::routes())
        .merge(chat::routes())
        .merge(assets::routes())
}
