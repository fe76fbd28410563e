//! What people see: the pages, the requests of their scripts, and the words.
//!
//! Called by [`crate::router`] for the routes and by the edge for [`error_page`]. Pages are rendered on
//! the server and work without scripts as far as that makes sense; templates hold no words of their own
//! where [`words`] has them, no style and no script.

pub mod account;
pub mod addresses;
pub mod admin;
pub mod break_glass;
pub mod calls;
pub mod chat;
pub mod confirm;
pub mod customers;
pub mod directory;
pub mod error;
pub mod frame;
pub mod handlers;
pub mod icons;
pub mod idle;
pub mod invitation;
pub mod mailed;
pub mod models;
pub mod notices;
pub mod outcome;
pub mod recoveries;
pub mod reviews;
pub mod role_words;
pub mod roles;
pub mod setup;
pub mod sign_in;
pub mod sso;
pub mod trust;
pub mod voice;
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
        .route("/sign-in/passkey/options", post(sign_in::passkey::options))
        .route("/sign-in/passkey", post(sign_in::passkey::show))
        .route("/sign-in/enrol", post(sign_in::steps::enrol))
        .route("/sign-in/lost", post(sign_in::steps::lost))
        .route("/account/factors", get(account::factors::show))
        .route("/account/passkeys/options", post(account::factors::options))
        .route("/account/passkeys", post(account::factors::make))
        .route("/account/passkeys/{id}/rename", post(account::factors::rename))
        .route("/account/passkeys/{id}/remove", post(account::factors::remove))
        .route("/account/authenticator", post(account::factors::begin))
        .route("/account/authenticator/confirm", post(account::factors::confirm))
        .route("/account/authenticator/remove", post(account::factors::remove_authenticator))
        .route("/account/recovery/off", post(account::factors::call_off))
        .route("/admin/recoveries", get(recoveries::show))
        .route("/admin/recoveries/{id}/agree", post(recoveries::agree))
        .route("/admin/recoveries/{id}/refuse", post(recoveries::refuse))
        .route("/sign-out", post(sign_in::out))
        .route("/confirm", get(confirm::show).post(confirm::form))
        .route("/confirm/api", post(confirm::api))
        .route("/session/left", get(idle::left_now))
        .route("/session/stay", post(idle::stay))
        .route("/confirm/options", post(confirm::options))
        .route("/account", get(account::show))
        .route("/account/looks", post(account::looks))
        .route("/account/password", post(account::password))
        .route("/account/codes", post(account::codes))
        .route("/account/sessions/end", post(account::sessions::end_others))
        .route("/account/sessions/{id}/end", post(account::sessions::end))
        .route("/account/keys", post(account::keys::make))
        .route("/account/notices", post(account::sessions::put_away))
        .route("/account/consents", get(account::consents::take_along))
        .route("/account/consents/withdraw", post(account::consents::withdraw))
        .route("/account/keys/{id}/replace", post(account::keys::replace))
        .route("/account/keys/{id}/revoke", post(account::keys::revoke))
        // The edge bounds this body; the framework's own, lower bound would come first.
        .route("/account/import", post(account::import).layer(DefaultBodyLimit::disable()))
        .route("/account/delete-chats", post(account::delete_chats))
        .route("/account/address", post(account::me::address))
        .route("/account/leave", post(account::me::leave))
        .route("/invitation", get(invitation::show).post(invitation::who))
        .route("/invitation/factor", post(invitation::factor))
        .route("/forgot", get(mailed::forgot).post(mailed::send))
        .route("/reset", get(mailed::reset).post(mailed::choose))
        .route("/confirm-address", get(mailed::address).post(mailed::confirm))
        .route("/admin/addresses", get(addresses::show).post(addresses::set))
        .route("/admin/addresses/{id}/remove", post(addresses::remove))
        .merge(admin::routes())
        .route("/models", get(models::show))
        .route("/trust", get(trust::show))
        .merge(sso::routes())
        .merge(directory::routes())
        .merge(calls::routes())
        .merge(customers::routes())
        .merge(voice::routes())
        .merge(roles::routes())
        .merge(reviews::routes())
        .merge(break_glass::routes())
        .merge(chat::routes())
        .merge(assets::routes())
}
