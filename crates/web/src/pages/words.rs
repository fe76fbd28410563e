//! Every word of the sign-in, the setup, the chat and the account, in one place and two languages.
//!
//! Templates take [`Words`] from the account or the browser's `Accept-Language` and hold no words of
//! their own. Administration, the trust and the models pages are English so far; their words stand in the
//! templates' own files, next to what they describe.

/// A struct with a field for each entry, and one value of it per language.
macro_rules! both_languages {
    ($name:ident, $($field:ident: $english:literal, $hindi:literal;)*) => {
        /// The words. Each field is named after what it says.
        #[derive(Debug)]
        #[expect(missing_docs, reason = "each field is named after the words it holds")]
        pub struct $name { $(pub $field: &'static str,)* }

        pub(super) static ENGLISH: $name = $name { $($field: $english,)* };
        pub(super) static HINDI: $name = $name { $($field: $hindi,)* };

        /// Every entry in both languages.
        #[cfg(test)]
        pub(super) const BOTH: &[(&str, &str, &str)] = &[$((stringify!($field), $english, $hindi),)*];
    };
}

mod english;
mod hindi;
mod own;
mod script;
mod talk;

use maud::{Markup, html};

use crate::markdown::Labels;

pub use own::Own;
pub use talk::Talk;

/// The words of one language. Each field is named after what it says.
#[derive(Debug)]
#[expect(missing_docs, reason = "each field is named after the words it holds")]
pub struct Words {
    pub lang: &'static str,
    pub own: &'static Own,
    pub talk: &'static Talk,
    pub skip: &'static str,
    pub you: &'static str,
    pub close: &'static str,
    pub cancel: &'static str,
    pub save: &'static str,
    pub back: &'static str,
    pub next: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub account: &'static str,
    pub admin: &'static str,
    pub trust: &'static str,
    pub models: &'static str,
    pub chats: &'static str,
    pub sign_in: &'static str,
    pub sign_out: &'static str,
    pub main_menu: &'static str,
    pub new_chat: &'static str,
    pub temporary: &'static str,
    pub search: &'static str,
    pub results: &'static str,
    pub pinned: &'static str,
    pub recent: &'static str,
    pub archive: &'static str,
    pub folder_options: &'static str,
    pub options_for: &'static str,
    pub no_chats: &'static str,
    pub no_archive: &'static str,
    pub no_hits: &'static str,
    pub open_rail: &'static str,
    pub untitled: &'static str,
    pub chat_options: &'static str,
    pub begin_title: &'static str,
    pub begin_text: &'static str,
    pub temporary_title: &'static str,
    pub temporary_text: &'static str,
    pub try_one: &'static str,
    pub try_two: &'static str,
    pub try_three: &'static str,
    pub try_four: &'static str,
    pub message: &'static str,
    pub placeholder: &'static str,
    pub send: &'static str,
    pub stop: &'static str,
    pub kept: &'static str,
    pub kept_new: &'static str,
    pub not_kept: &'static str,
    pub disclosure: &'static str,
    pub you_said: &'static str,
    pub answer: &'static str,
    pub ai: &'static str,
    pub edit: &'static str,
    pub regenerate: &'static str,
    pub delete: &'static str,
    pub earlier: &'static str,
    pub later: &'static str,
    pub versions: &'static str,
    pub stopped: &'static str,
    pub failed: &'static str,
    pub cut: &'static str,
    pub unanswered: &'static str,
    pub try_again: &'static str,
    pub latest: &'static str,
    pub waiting: &'static str,
    pub writing: &'static str,
    pub done_writing: &'static str,
    pub rename: &'static str,
    pub pin: &'static str,
    pub unpin: &'static str,
    pub move_to: &'static str,
    pub no_folder: &'static str,
    pub new_folder: &'static str,
    pub put_away: &'static str,
    pub take_back: &'static str,
    pub export_markdown: &'static str,
    pub export_json: &'static str,
    pub end_temporary: &'static str,
    pub shortcuts: &'static str,
    pub choose_model: &'static str,
    pub no_model: &'static str,
    pub made_by: &'static str,
    pub licence: &'static str,
    pub runs: &'static str,
    pub context: &'static str,
    pub size: &'static str,
    pub tokens: &'static str,
    pub ready: &'static str,
    pub fetching: &'static str,
    pub fetching_title: &'static str,
    pub loading: &'static str,
    pub missing: &'static str,
    pub model_failed: &'static str,
    pub fetching_text: &'static str,
    pub loading_text: &'static str,
    pub missing_text: &'static str,
    pub way_fetch: &'static str,
    pub way_restart: &'static str,
    pub way_file: &'static str,
    pub way_endpoint: &'static str,
    pub needs_script: &'static str,
    pub code_label: &'static str,
    pub table_label: &'static str,
    pub picture_label: &'static str,
    pub box_done: &'static str,
    pub box_open: &'static str,
    pub copy_code: &'static str,
    pub step: &'static str,
    pub of: &'static str,
    pub setup_title: &'static str,
    pub setup_text: &'static str,
    pub setup_code: &'static str,
    pub setup_code_hint: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub password: &'static str,
    pub show_password: &'static str,
    pub rule_length: &'static str,
    pub rule_classes: &'static str,
    pub rule_guess: &'static str,
    pub factor_title: &'static str,
    pub factor_text: &'static str,
    pub qr_label: &'static str,
    pub manual: &'static str,
    pub six_digits: &'static str,
    pub confirm: &'static str,
    pub codes_title: &'static str,
    pub codes_text: &'static str,
    pub print: &'static str,
    pub download: &'static str,
    pub codes_kept: &'static str,
    pub sign_in_title: &'static str,
    pub sign_in_factor_title: &'static str,
    pub sign_in_factor_text: &'static str,
    pub code: &'static str,
    pub refused: &'static str,
    pub code_refused: &'static str,
    pub throttled: &'static str,
    pub signed_out: &'static str,
    pub sign_in_with: &'static str,
    pub or_password: &'static str,
    pub sign_out_there: &'static str,
    pub expired_title: &'static str,
    pub expired_text: &'static str,
    pub new_password: &'static str,
    pub confirm_title: &'static str,
    pub confirm_text: &'static str,
    pub confirm_factor_text: &'static str,
    pub confirm_factor_missing: &'static str,
    pub confirm_again: &'static str,
    pub confirm_by_code: &'static str,
    pub confirm_refused: &'static str,
    pub confirm_lasts: &'static str,
    pub idle_title: &'static str,
    pub idle_text: &'static str,
    pub idle_stay: &'static str,
    pub idle_minutes: &'static str,
    pub idle_seconds: &'static str,
    pub over_title: &'static str,
    pub over_text: &'static str,
    pub over_link: &'static str,
    pub draft_back: &'static str,
    pub foot_line: &'static str,
    pub passkey_sign_in: &'static str,
    pub passkey_show: &'static str,
    pub passkey_waiting: &'static str,
    pub passkey_failed: &'static str,
    pub passkey_refused: &'static str,
    pub or: &'static str,
    pub enrol_title: &'static str,
    pub enrol_text: &'static str,
    pub lost_link: &'static str,
    pub lost_text: &'static str,
    pub lost_ask: &'static str,
    pub lost_title: &'static str,
    pub lost_asked: &'static str,
    pub lost_code: &'static str,
    pub lost_word: &'static str,
    pub lost_after: &'static str,
    pub invitation_title: &'static str,
    pub invitation_text: &'static str,
    pub link_code: &'static str,
    pub link_code_hint: &'static str,
    pub forgot: &'static str,
    pub forgot_title: &'static str,
    pub forgot_text: &'static str,
    pub forgot_sent: &'static str,
    pub forgot_no_mail: &'static str,
    pub email: &'static str,
    pub send_link: &'static str,
    pub reset_title: &'static str,
    pub reset_text: &'static str,
    pub reset_done: &'static str,
    pub address_title: &'static str,
    pub address_text: &'static str,
    pub address_done: &'static str,
    pub left: &'static str,
    pub left_messages: &'static str,
    pub left_tokens: &'static str,
    pub left_voice: &'static str,
    pub today: &'static str,
    pub this_month: &'static str,
}

impl Words {
    /// The words of a language by its tag; English when we do not have it.
    #[must_use]
    pub fn of(tag: &str) -> &'static Self {
        if tag.split(['-', '_']).next().is_some_and(|language| language.eq_ignore_ascii_case("hi")) {
            &hindi::WORDS
        } else {
            &english::WORDS
        }
    }

    /// The words a browser asks for in `Accept-Language`: the first language that we have.
    #[must_use]
    pub fn asked_for(accept: &str) -> &'static Self {
        let known = |tag: &&str| ["en", "hi"].iter().any(|have| tag.to_ascii_lowercase().starts_with(have));
        Self::of(accept.split([',', ';']).map(str::trim).find(known).unwrap_or("en"))
    }

    /// What stands inside rendered answers.
    #[must_use]
    pub fn labels(&self) -> Labels {
        Labels {
            copy: self.copy_code,
            code: self.code_label,
            table: self.table_label,
            picture: self.picture_label,
            done: self.box_done,
            open: self.box_open,
        }
    }
}

/// A sentence with `values` in the places it keeps for them (`{}`), in their order.
#[must_use]
pub fn filled(sentence: &str, values: &[Markup]) -> Markup {
    html! {
        @for (at, part) in sentence.split("{}").enumerate() {
            @if let Some(value) = at.checked_sub(1).and_then(|at| values.get(at)) { (value) }
            (part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_about_oneself_are_whole_in_both_languages() {
        for (field, english, hindi) in own::BOTH.iter().chain(talk::BOTH) {
            let places = |text: &str| text.matches("{}").count();
            assert!(!english.is_empty() && places(english) == places(hindi), "{field}: {hindi}");
            assert!(
                hindi.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c)),
                "{field} is not in Hindi: {hindi}"
            );
        }
    }

    #[test]
    fn values_stand_where_a_sentence_keeps_a_place() {
        let value = |text: &str| html! { (text) };
        let said = filled("{} of {}, <b>", &[value("1"), value("2")]).into_string();
        assert_eq!(said, "1 of 2, &lt;b&gt;");
        assert_eq!(filled("nothing", &[]).into_string(), "nothing");
        assert_eq!(filled("{} is left", &[]).into_string(), " is left");
    }

    #[test]
    fn the_first_language_we_have_is_taken() {
        assert_eq!(Words::asked_for("de-DE,hi;q=0.8,en;q=0.5").lang, "hi");
        assert_eq!(Words::asked_for("en-GB,hi;q=0.8").lang, "en");
        assert_eq!(Words::asked_for("").lang, "en");
        assert_eq!(Words::of("hi-IN").lang, "hi");
    }
}
