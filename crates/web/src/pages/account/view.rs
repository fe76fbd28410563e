//! What the account page shows: me, ways to sign in, where I am signed in, my keys, my data, my consents.

use domain::{Secret, Timestamp};
use identity::{Asked, Factors, Settings};
use maud::{Markup, html};

use super::me;
use super::{
    super::{
        frame::{Frame, Kind, Place, note, when},
        icons::Icon,
        setup::form::{advice, code_list, password},
        words::{Own, filled},
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
    /// What they agreed to about their voice.
    pub consents: Markup,
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
    let own = frame.words.own;
    let main = html! {
        div.desk {
            header { h1 { (account.name) } p { (filled(own.since, &[when(account.created)])) } }
            @if !account.notices.is_empty() {
                div { @for (kind, text) in &account.notices { (note(*kind, text)) } }
            }
            (account.waiting)
            (me::about(frame.words, account.me))
            (looks(frame, account.settings))
            (ways_in(frame, account))
            (account.sessions)
            (account.keys)
            (data(own))
            (account.consents)
            (glass::section(own, account.asked, account.now))
            section {
                h2 { (own.leave) }
                form.actions method="post" action="/sign-out" {
                    button.quiet type="submit" { (Icon::SignOut.draw()) (frame.words.sign_out) }
                }
                (me::farewell(own))
            }
        }
    };
    frame.desk(frame.words.account, Place::Account, &main)
}

fn looks(frame: &Frame, settings: &Settings) -> Markup {
    let own = frame.words.own;
    let languages = [("", own.by_browser), ("en", "English"), ("hi", "हिन्दी")];
    let themes = [("", own.by_system), ("light", own.light), ("dark", own.dark)];
    html! {
        section #looks {
            h2 { (own.looks_title) }
            p { (own.looks_text) }
            form.narrow method="post" action="/account/looks" {
                div.pair {
                    div.field {
                        label for="language" { (own.language) }
                        select #language name="language" { (options(&languages, &settings.language)) }
                    }
                    div.field {
                        label for="theme" { (own.theme) }
                        select #theme name="theme" { (options(&themes, &settings.theme)) }
                    }
                }
                div.actions { button.quiet type="submit" { (frame.words.save) } }
            }
        }
    }
}

fn options(options: &[(&str, &str)], chosen: &str) -> Markup {
    html! { @for (value, word) in options { option value=(value) selected[*value == chosen] { (word) } } }
}

fn ways_in(frame: &Frame, account: &Account<'_>) -> Markup {
    let (words, own) = (frame.words, frame.words.own);
    let set = html! { span.mark.good { (Icon::Check.draw()) (own.set) } };
    html! {
        section #ways {
            h2 { (own.ways_title) }
            ul.things {
                li {
                    div.what {
                        (words.password)
                        @if let Some(at) = account.password_expires { span { (filled(own.password_due, &[when(at)])) } }
                    }
                    (set)
                }
                li {
                    div.what {
                        (own.passkeys)
                        span { (filled(own.passkeys_kept, &[html! { (account.factors.passkeys.len()) }])) }
                    }
                    @if account.factors.passkeys.is_empty() { span.mark.plain { (own.none_yet) } } @else { (set) }
                }
                li {
                    div.what { (own.authenticator) span { (own.authenticator_short) } }
                    @if account.factors.authenticator { (set) } @else { span.mark.plain { (own.none_yet) } }
                }
                li {
                    div.what { (own.codes) span { (filled(own.codes_short, &[html! { (account.factors.codes_left) }])) } }
                    @if account.factors.count() == 0 { span.mark.plain { (own.codes_later) } }
                    @else if account.factors.codes_left < FEW { span.mark.due { (Icon::Warn.draw()) (own.codes_few) } }
                    @else { (set) }
                }
            }
            div.actions { a.quiet href="/account/factors" { (Icon::Key.draw()) (own.to_factors) } }
            p.small.soft { (frame.rules_words()) }
            @if account.confirmed { (changes(frame, account)) } @else { (confirm_first(own, own.confirm_change, "ways")) }
        }
    }
}

/// What leads to a form that takes a fresh confirmation, for who has not confirmed lately.
pub(super) fn confirm_first(own: &Own, what: &str, section: &str) -> Markup {
    html! {
        div.actions { a.quiet href={ "/confirm?next=/account%23" (section) } { (Icon::Shield.draw()) (what) } }
        p.hint.small.soft { (own.confirm_hint) }
    }
}

/// The forms that change how the account is opened.
fn changes(frame: &Frame, account: &Account<'_>) -> Markup {
    let own = frame.words.own;
    html! {
            details {
                summary { (own.change_password) }
                form.narrow method="post" action="/account/password" {
                    // For password managers; it has no name and is not sent.
                    input type="text" autocomplete="username" value=(account.name) readonly hidden;
                    div.field { (password(frame.words, "current", own.password_now, "current-password")) }
                    div.field { (password(frame.words, "password", frame.words.new_password, "new-password")) (advice(frame)) }
                    p.hint.small.soft { (own.elsewhere_out) }
                    div.actions { button.button type="submit" { (own.change_it) } }
                }
            }
            details {
                summary { (own.new_codes) }
                form.narrow method="post" action="/account/codes" {
                    div.field {
                        label for="totp" { (own.digits_of_yours) }
                        input.code #totp name="code" required inputmode="numeric" autocomplete="one-time-code" maxlength="8";
                    }
                    p.hint.small.soft { (own.old_codes_end) }
                    div.actions { button.button type="submit" { (own.make_them) } }
                }
            }
    }
}

fn data(own: &Own) -> Markup {
    html! {
        section #data {
            h2 { (own.data_title) }
            p { (own.data_text) }
            div.actions {
                a.quiet href="/chat/api/export?format=json" download { (Icon::Download.draw()) (own.take_json) }
                a.quiet href="/chat/api/export?format=markdown" download { (Icon::Download.draw()) (own.take_markdown) }
            }
            details {
                summary { (own.bring) }
                form.narrow method="post" action="/account/import" enctype="multipart/form-data" {
                    div.field {
                        label for="file" { (own.bring_file) }
                        input #file name="file" type="file" accept="application/json,.json" required;
                    }
                    div.actions { button.quiet type="submit" { (own.bring_them) } }
                }
            }
            details {
                summary { (own.delete_chats) }
                form.narrow method="post" action="/account/delete-chats" {
                    label.check { input type="checkbox" name="sure" value="yes" required; span { (own.delete_chats_sure) } }
                    div.actions { button.danger type="submit" { (own.delete_chats) } }
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
