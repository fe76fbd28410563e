//! What the account page shows: me, ways to sign in, where I am signed in, my keys, my data.

use domain::{Secret, Timestamp};
use identity::{Asked, Factors, Settings};
use maud::{Markup, html};

use super::me;
use super::{
    super::{
        frame::{Frame, Kind, Place, note, when},
        icons::Icon,
        setup::form::{advice, code_list, password},
    },
    factors_view::FEW,
    glass,
};

/// Everything the page shows.
#[derive(Debug)]
pub struct Account<'a> {
    /// The address, quotas.
    pub me: &'a me::Me,
    /// The account's name.
    pub name: &'a str,
    /// When it was made.
    pub created: Timestamp,
    /// How its person likes things.
    pub settings: &'a Settings,
    /// When the password must be changed, if it must.
    pub password_expires: Option<Timestamp>,
    /// Their second factors.
    pub factors: &'a Factors,
    /// What waits to be read.
    pub waiting: Markup,
    /// Where they are signed in.
    pub sessions: Markup,
    /// Their API keys.
    pub keys: Markup,
    /// Who asked to read their chats.
    pub asked: &'a [Asked],
    /// Now.
    pub now: Timestamp,
    /// Whether what opens the account may be changed now; otherwise its person confirms first.
    pub confirmed: bool,
    /// How the last act went.
    pub notices: Vec<(Kind, String)>,
}

/// The page.
#[must_use]
pub fn page(frame: &Frame, account: &Account<'_>) -> Markup {
    let main = html! {
        div.desk lang="en" {
            header { h1 { (account.name) } p { "Your account since " (when(account.created)) "." } }
            @if !account.notices.is_empty() {
                div { @for (kind, text) in &account.notices { (note(*kind, text)) } }
            }
            (account.waiting)
            (me::about(account.me))
            (looks(account.settings))
            (ways_in(frame, account))
            (account.sessions)
            (account.keys)
            (data())
            (glass::section(account.asked, account.now))
            section {
                h2 { "Leave" }
                form.actions method="post" action="/sign-out" {
                    button.quiet type="submit" { (Icon::SignOut.draw()) (frame.words.sign_out) }
                }
                (me::farewell())
            }
        }
    };
    frame.desk("Account", Place::Account, &main)
}

fn looks(settings: &Settings) -> Markup {
    let languages = [("", "As the browser asks"), ("en", "English"), ("hi", "हिन्दी")];
    let themes = [("", "As the system prefers"), ("light", "Light"), ("dark", "Dark")];
    html! {
        section #looks {
            h2 { "How it looks" }
            p { "Hindi covers signing in and chatting; this page is in English so far." }
            form.narrow method="post" action="/account/looks" {
                div.pair {
                    div.field {
                        label for="language" { "Language" }
                        select #language name="language" { (options(&languages, &settings.language)) }
                    }
                    div.field {
                        label for="theme" { "Theme" }
                        select #theme name="theme" { (options(&themes, &settings.theme)) }
                    }
                }
                div.actions { button.quiet type="submit" { "Save" } }
            }
        }
    }
}

fn options(options: &[(&str, &str)], chosen: &str) -> Markup {
    html! { @for (value, word) in options { option value=(value) selected[*value == chosen] { (word) } } }
}

fn ways_in(frame: &Frame, account: &Account<'_>) -> Markup {
    html! {
        section #ways {
            h2 { "Ways to sign in" }
            ul.things {
                li {
                    div.what {
                        "Password"
                        @if let Some(at) = account.password_expires { span { "To be changed before " (when(at)) } }
                    }
                    span.mark.good { (Icon::Check.draw()) "Set" }
                }
                li {
                    div.what {
                        "Passkeys"
                        span { (account.factors.passkeys.len()) " kept" }
                    }
                    @if account.factors.passkeys.is_empty() { span.mark.plain { "None yet" } }
                    @else { span.mark.good { (Icon::Check.draw()) "Set" } }
                }
                li {
                    div.what { "Authenticator app" span { "Six digits, asked for after the password" } }
                    @if account.factors.authenticator { span.mark.good { (Icon::Check.draw()) "Set" } }
                    @else { span.mark.plain { "None yet" } }
                }
                li {
                    div.what { "Recovery codes" span { (account.factors.codes_left) " left; each opens your account once" } }
                    @if account.factors.count() == 0 { span.mark.plain { "With your first factor" } }
                    @else if account.factors.codes_left < FEW { span.mark.due { (Icon::Warn.draw()) "Few left" } }
                    @else { span.mark.good { (Icon::Check.draw()) "Set" } }
                }
            }
            div.actions { a.quiet href="/account/factors" { (Icon::Key.draw()) "Passkeys and authenticator" } }
            p.small.soft { (frame.rules_words()) }
            @if account.confirmed { (changes(frame, account)) } @else { (confirm_first("Change the password or the codes", "ways")) }
        }
    }
}

/// What leads to a form that takes a fresh confirmation, for who has not confirmed lately.
pub(super) fn confirm_first(what: &str, section: &str) -> Markup {
    html! {
        div.actions { a.quiet href={ "/confirm?next=/account%23" (section) } { (Icon::Shield.draw()) (what) } }
        p.hint.small.soft { "You are asked to confirm that it is you." }
    }
}

/// The forms that change how the account is opened.
fn changes(frame: &Frame, account: &Account<'_>) -> Markup {
    html! {
            details {
                summary { "Change the password" }
                form.narrow method="post" action="/account/password" {
                    // For password managers; it has no name and is not sent.
                    input type="text" autocomplete="username" value=(account.name) readonly hidden;
                    div.field { (password(frame.words, "current", "Password now", "current-password")) }
                    div.field { (password(frame.words, "password", frame.words.new_password, "new-password")) (advice(frame)) }
                    p.hint.small.soft { "Everywhere else you will be signed out." }
                    div.actions { button.button type="submit" { "Change it" } }
                }
            }
            details {
                summary { "Make new recovery codes" }
                form.narrow method="post" action="/account/codes" {
                    div.field {
                        label for="totp" { "Six digits of your authenticator" }
                        input.code #totp name="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="8";
                    }
                    p.hint.small.soft { "The old codes end at once." }
                    div.actions { button.button type="submit" { "Make them" } }
                }
            }
    }
}

fn data() -> Markup {
    html! {
        section #data {
            h2 { "Your data" }
            p { "Your chats are sealed with a key of your own and kept until you delete them." }
            div.actions {
                a.quiet href="/chat/api/export?format=json" download { (Icon::Download.draw()) "Take all chats along (JSON)" }
                a.quiet href="/chat/api/export?format=markdown" download { (Icon::Download.draw()) "To read (Markdown)" }
            }
            details {
                summary { "Bring chats in" }
                form.narrow method="post" action="/account/import" enctype="multipart/form-data" {
                    div.field {
                        label for="file" { "A file that Troth exported (JSON)" }
                        input #file name="file" type="file" accept="application/json,.json" required;
                    }
                    div.actions { button.quiet type="submit" { "Bring them in" } }
                }
            }
            details {
                summary { "Delete all chats" }
                form.narrow method="post" action="/account/delete-chats" {
                    label.check { input type="checkbox" name="sure" value="yes" required; span { "Delete every chat of mine, archived ones too. This cannot be undone." } }
                    div.actions { button.danger type="submit" { "Delete all chats" } }
                }
            }
        }
    }
}

/// Recovery codes that were just made, shown this once.
#[must_use]
pub fn new_codes(frame: &Frame, codes: &[Secret<String>]) -> Markup {
    let words = frame.words;
    let main = html! {
        div { h1 { (words.codes_title) } p { (words.codes_text) } }
        (code_list(words, codes))
        a.button href="/account#ways" { (words.back) }
    };
    frame.single(words.codes_title, Some("setup.js"), &main)
}
