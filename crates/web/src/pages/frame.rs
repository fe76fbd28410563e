//! What surrounds every page: the head, the bar, the foot.
//!
//! Each template ends in one of [`Frame`]'s makers. Invariant: every script carries the nonce of its
//! response, and nothing is written inline.

use domain::{Timestamp, password::Rules};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::{
    icons::{self, Icon},
    idle::{self, Idle},
    words::Words,
};
use crate::assets::{href, integrity};

/// How the page is to look, whatever the system prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system prefers.
    #[default]
    Auto,
    /// Paper.
    Light,
    /// Night.
    Dark,
}

impl Theme {
    /// The theme an account's settings name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// The theme as settings and the style sheet spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What all pages of one response share.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The nonce scripts carry; empty when the page has none.
    pub nonce: String,
    /// The words.
    pub words: &'static Words,
    /// The look.
    pub theme: Theme,
    /// The name of the person, when somebody is signed in.
    pub name: Option<String>,
    /// Whether the person has something to do in `/admin`.
    pub runs_it: bool,
    /// When the session of that person ends if nothing more happens.
    pub idle: Option<Idle>,
    /// The version people read.
    pub version: &'static str,
    /// Services one may sign in with, for the sign-in page: names and labels.
    pub ways: Vec<(String, String)>,
    /// What a new password is held against.
    pub rules: Rules,
    /// What the person should be told wherever they are.
    pub notices: Option<Markup>,
}

/// The entries of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where one talks.
    Talk,
    /// The promises.
    Trust,
    /// The models.
    Models,
    /// One's own account.
    Account,
    /// What those do who run the instance.
    Admin,
    /// None of them.
    Elsewhere,
}

impl Frame {
    /// A whole document.
    #[must_use]
    pub fn document(&self, title: &str, sheets: &[&str], script: Option<&str>, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.words.lang) data-theme=(self.theme.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (title) " · Troth" }
                    link rel="icon" href=(href("mark.svg")) type="image/svg+xml";
                    link rel="preload" href=(href("sans.woff2")) as="font" type="font/woff2" crossorigin;
                    link rel="stylesheet" href=(href("base.css"));
                    @for sheet in sheets { link rel="stylesheet" href=(href(sheet)); }
                    @if let Some(script) = script {
                        script type="module" nonce=(self.nonce) src=(href(script)) integrity=[integrity(script)] {}
                    }
                    @if let Some(idle) = self.idle {
                        (idle::notice(idle, self.words))
                        script type="module" nonce=(self.nonce) src=(href("idle.js")) integrity=[integrity("idle.js")] {}
                    }
                }
                (body)
            }
        }
    }

    /// A page with the bar above and the foot below.
    #[must_use]
    pub fn desk(&self, title: &str, place: Place, main: &Markup) -> Markup {
        self.desk_with(title, place, "forms.js", main)
    }

    /// The same with another script.
    #[must_use]
    pub fn desk_with(&self, title: &str, place: Place, script: &str, main: &Markup) -> Markup {
        self.desk_sheets(title, place, &["pages.css"], script, main)
    }

    /// The same with style sheets of its own.
    #[must_use]
    pub fn desk_sheets(
        &self,
        title: &str,
        place: Place,
        sheets: &[&str],
        script: &str,
        main: &Markup,
    ) -> Markup {
        let admin = self.runs_it.then_some((Place::Admin, "/admin", self.words.admin));
        let entries = [
            (Place::Talk, "/voice", self.words.talk.title),
            (Place::Trust, "/trust", self.words.trust),
            (Place::Models, "/models", self.words.models),
            (Place::Account, "/account", self.words.account),
        ];
        let entries = entries.into_iter().chain(admin);
        let body = html! {
            body {
                (self.skip())
                header.top {
                    (brand())
                    @if self.name.is_some() {
                        nav aria-label=(self.words.main_menu) {
                            a href="/chat" { (self.words.chats) }
                            @for (entry, address, word) in entries {
                                a href=(address) aria-current=[(entry == place).then_some("page")] { (word) }
                            }
                        }
                    } @else {
                        nav aria-label=(self.words.main_menu) { a href="/sign-in" { (self.words.sign_in) } }
                    }
                }
                @if let Some(notices) = &self.notices { (notices) }
                main #content tabindex="-1" { (main) }
                (self.foot())
                (toasts())
            }
        };
        self.document(title, sheets, Some(script), &body)
    }

    /// A page of one column and one question.
    #[must_use]
    pub fn single(&self, title: &str, script: Option<&str>, main: &Markup) -> Markup {
        let body = html! {
            body.single {
                (self.skip())
                header { (brand()) }
                main #content tabindex="-1" { (main) }
                (self.foot())
                (toasts())
            }
        };
        self.document(title, &["pages.css"], script, &body)
    }

    /// Which rules passwords follow here, and what they depart from.
    #[must_use]
    pub fn rules_words(&self) -> &'static str {
        if self.rules.classes { self.words.own.rules_classic } else { self.words.own.rules_nist }
    }

    /// The link that jumps over the bar.
    #[must_use]
    pub fn skip(&self) -> Markup {
        html! { a.skip href="#content" { (self.words.skip) } }
    }

    fn foot(&self) -> Markup {
        html! {
            footer.bottom {
                span { "Troth " (self.version) }
                @if self.name.is_some() { a href="/trust" { (self.words.trust) } }
                span { (self.words.foot_line) }
            }
        }
    }
}

/// The name of the house, leading home.
#[must_use]
pub fn brand() -> Markup {
    html! { a.brand href="/" { (icons::rings()) "Troth" } }
}

/// Where short notices appear.
#[must_use]
pub fn toasts() -> Markup {
    html! { div.toasts #toasts role="status" aria-live="polite" {} }
}

/// A line that says how something went.
#[must_use]
pub fn note(kind: Kind, text: &str) -> Markup {
    let role = if kind == Kind::Bad { "alert" } else { "status" };
    html! { div class={ "note " (kind.class()) } role=(role) { (kind.icon().draw()) p { (text) } } }
}

/// What a mark means: never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It holds, it worked.
    Good,
    /// It does not.
    Bad,
    /// It needs somebody.
    Due,
    /// For information.
    Plain,
}

impl Kind {
    /// Its class in the style sheet.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Due => "due",
            Self::Plain => "plain",
        }
    }

    /// Its shape.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Good => Icon::Check,
            Self::Bad => Icon::Cross,
            Self::Due => Icon::Warn,
            Self::Plain => Icon::Info,
        }
    }
}

/// A moment, in words that the browser puts into its own time zone.
#[must_use]
pub fn when(at: Timestamp) -> Markup {
    let moment = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let words = moment
        .format(format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"));
    html! {
        time datetime=(moment.format(&Rfc3339).unwrap_or_default()) { (words.unwrap_or_default()) }
    }
}

/// A size in words, in steps of a thousand.
#[must_use]
pub fn bytes(count: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    let Some((unit, size)) = units.into_iter().find(|(_, size)| count >= *size) else {
        return format!("{count} B");
    };
    let (whole, tenth) = (count / size, count % size * 10 / size);
    if whole >= 100 || tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

/// Data for our own scripts: JSON that no parser of HTML can leave.
#[must_use]
pub fn data(id: &str, value: &serde_json::Value) -> Markup {
    let text = value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    html! { script type="application/json" id=(id) { (PreEscaped(text)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_leave_its_element() {
        let html = data("x", &serde_json::json!({ "a": "</script><script>alert(1)//<!--" })).into_string();
        assert_eq!(html.matches("<").count(), 2, "{html}");
    }

    #[test]
    fn sizes_and_moments_read_well() {
        assert_eq!([bytes(999), bytes(1_500_000), bytes(1_894_532_128)], ["999 B", "1.5 MB", "1.8 GB"]);
        assert!(when(Timestamp(1_763_847_720_000_000)).into_string().contains("22 November 2025, 21:42 UTC"));
    }
}
