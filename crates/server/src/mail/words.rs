//! What e-mails say, in English and Hindi: plain text, and the same as simple HTML.
//!
//! Called by the post. Invariant: nothing in a mail is fetched from elsewhere, and everything that comes
//! from a person (a name, a device) is escaped.

use domain::{Timestamp, mail::Mail};
use time::{OffsetDateTime, macros::format_description};

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Worded {
    /// The subject.
    pub(super) subject: String,
    lang: &'static str,
    before: Vec<String>,
    /// What to press, and where it leads.
    link: Option<(String, String)>,
    after: Vec<String>,
    issuer: String,
}

impl Worded {
    /// As plain text.
    pub(super) fn plain(&self) -> String {
        let mut parts = self.before.clone();
        parts.extend(self.link.iter().map(|(word, address)| format!("{word}:\n{address}")));
        parts.extend(self.after.iter().cloned());
        parts.push(format!("— {}", self.issuer));
        parts.join("\n\n") + "\n"
    }

    /// As HTML: paragraphs and one link, no pictures, nothing from elsewhere.
    pub(super) fn html(&self) -> String {
        let paragraph = |text: &String| format!("<p>{}</p>", escape(text));
        let mut body: Vec<String> = self.before.iter().map(paragraph).collect();
        if let Some((word, address)) = &self.link {
            let (word, address) = (escape(word), escape(address));
            body.push(format!(
                "<p><a href=\"{address}\" style=\"display:inline-block;padding:10px 18px;border-radius:8px;\
                 background:#1f5f4a;color:#fffdf9;text-decoration:none\">{word}</a></p>\
                 <p style=\"color:#5c564d;font-size:14px;word-break:break-all\">{address}</p>"
            ));
        }
        body.extend(self.after.iter().map(paragraph));
        format!(
            "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
             <body style=\"font:17px/1.55 sans-serif;color:#1d1b18;max-width:36em\">{}\
             <p style=\"color:#5c564d\">— {}</p></body></html>",
            self.lang,
            escape(&self.subject),
            body.concat(),
            escape(&self.issuer),
        )
    }
}

/// Words `mail` in `language`, English when it is neither of ours. Links lead below `links`.
pub(super) fn worded(mail: &Mail, language: &str, links: &str, issuer: &str) -> Worded {
    let is_hindi = language == "hi" || language.starts_with("hi-");
    let say = |english: String, hindi: String| if is_hindi { hindi } else { english };
    let text = |english: &str, hindi: &str| say(english.to_owned(), hindi.to_owned());
    let link = |english: &str, hindi: &str, path: &str, token: &str| {
        Some((text(english, hindi), format!("{links}{path}#{token}")))
    };
    let mut worded = Worded {
        subject: String::new(),
        lang: if is_hindi { "hi" } else { "en" },
        before: Vec::new(),
        link: None,
        after: Vec::new(),
        issuer: issuer.to_owned(),
    };
    match mail {
        Mail::Invitation { from, token, days } => {
            worded.subject =
                say(format!("{from} invites you to {issuer}"), format!("{from} आपको {issuer} पर बुला रहे हैं"));
            worded.before.push(say(
                format!("{from} invites you to make an account at {issuer}, an AI assistant that keeps what you write sealed."),
                format!("{from} ने आपको {issuer} पर खाता बनाने के लिए बुलाया है। यह एक एआई सहायक है, जो आपका लिखा सीलबंद रखता है।"),
            ));
            worded.link = link("Make your account", "अपना खाता बनाएँ", "/invitation", token);
            worded.after.push(say(
                format!(
                    "The link works once and for {days} days. If you expected no invitation, do nothing."
                ),
                format!("यह लिंक एक बार और {days} दिन तक काम करता है। यदि आपको इसकी उम्मीद नहीं थी, तो कुछ न करें।"),
            ));
        }
        Mail::ConfirmAddress { token, minutes } => {
            worded.subject = text("Is this your address?", "क्या यह आपका पता है?");
            worded.before.push(say(
                format!(
                    "Somebody gave this address for their account at {issuer}. If it was you, confirm it."
                ),
                format!("किसी ने {issuer} पर अपने खाते के लिए यह पता दिया है। यदि वह आप थे, तो इसकी पुष्टि करें।"),
            ));
            worded.link = link("Confirm the address", "पते की पुष्टि करें", "/confirm-address", token);
            worded.after.push(say(
                format!("The link works once and for {minutes} minutes. If it was not you, do nothing."),
                format!("यह लिंक एक बार और {minutes} मिनट तक काम करता है। यदि वह आप नहीं थे, तो कुछ न करें।"),
            ));
        }
        Mail::CallerCode { code, minutes } => {
            worded.subject = text("Your code", "आपका कोड");
            worded.before.push(say(
                format!("Somebody on the telephone with {issuer} says they are you. If it is you, read out: {code}"),
                format!("{issuer} से फ़ोन पर कोई कहता है कि वह आप हैं। यदि वह आप हैं, तो यह पढ़कर सुनाएँ: {code}"),
            ));
            worded.after.push(say(
                format!(
                    "The code works once, in that call, and for {minutes} minutes. If you are not on the telephone, \
                     tell it to nobody."
                ),
                format!(
                    "यह कोड एक बार, उसी कॉल में और {minutes} मिनट तक काम करता है। यदि आप फ़ोन पर नहीं हैं, तो इसे किसी को न बताएँ।"
                ),
            ));
        }
        Mail::Reset { token, minutes } => {
            worded.subject = text("A new password", "नया पासवर्ड");
            worded.before.push(say(
                format!("Somebody asked for a new password for your account at {issuer}."),
                format!("किसी ने {issuer} पर आपके खाते के लिए नया पासवर्ड माँगा है।"),
            ));
            worded.link = link("Choose a new password", "नया पासवर्ड चुनें", "/reset", token);
            worded.after.push(say(
                format!(
                    "The link works once and for {minutes} minutes. Your second factor is asked for afterwards as \
                     always. If it was not you, do nothing: your password stays as it is."
                ),
                format!(
                    "यह लिंक एक बार और {minutes} मिनट तक काम करता है। इसके बाद दूसरा कारक हमेशा की तरह पूछा जाएगा। \
                     यदि वह आप नहीं थे, तो कुछ न करें: आपका पासवर्ड वही रहेगा।"
                ),
            ));
        }
        notice => {
            let (subject, about) = told(notice, &say);
            worded.subject = subject;
            worded.before.push(about);
            worded.after.push(text(
                "If this was not you, or you wonder, ask whoever runs this server. We never ask for your password by mail.",
                "यदि यह आपने नहीं किया, या कोई शंका है, तो इस सर्वर को चलाने वाले से पूछें। हम कभी मेल से आपका पासवर्ड नहीं माँगते।",
            ));
        }
    }
    worded
}

/// A notice without a link: its subject, and what happened.
fn told(mail: &Mail, say: &dyn Fn(String, String) -> String) -> (String, String) {
    let text = |english: &str, hindi: &str| say(english.to_owned(), hindi.to_owned());
    match mail {
        Mail::AddressChanged => (
            text("Your address was changed", "आपका पता बदल गया"),
            text(
                "The e-mail address of your account was changed or removed. This is the last mail to this one.",
                "आपके खाते का ईमेल पता बदला या हटाया गया है। इस पते पर यह आखिरी मेल है।",
            ),
        ),
        Mail::PasswordChanged => (
            text("Your password was changed", "आपका पासवर्ड बदल गया"),
            text(
                "The password of your account was changed, and every session has ended.",
                "आपके खाते का पासवर्ड बदल दिया गया है और सभी सत्र समाप्त हो गए हैं।",
            ),
        ),
        Mail::PasswordDue { by } => (
            text("Time for a new password", "नए पासवर्ड का समय"),
            say(
                format!(
                    "Your password must be changed before {}. You can do it on your account page.",
                    day(*by)
                ),
                format!("आपका पासवर्ड {} से पहले बदलना होगा। यह आप अपने खाते के पन्ने पर कर सकते हैं।", day(*by)),
            ),
        ),
        Mail::FactorsChanged => (
            text("Your ways to sign in were changed", "साइन इन करने के आपके तरीक़े बदले"),
            text(
                "A factor of your account was added, replaced or removed.",
                "आपके खाते का कोई कारक जोड़ा, बदला या हटाया गया है।",
            ),
        ),
        Mail::NewSignIn { device, place, at } => (
            text("A sign-in from a new device", "नए उपकरण से साइन इन"),
            say(
                format!("Somebody signed in to your account: {device}, {place}, {}.", moment(*at)),
                format!("किसी ने आपके खाते में साइन इन किया: {device}, {place}, {}।", moment(*at)),
            ),
        ),
        Mail::RecoveryAsked { not_before } => (
            text("Somebody asks for a way into your account", "कोई आपके खाते में आने का रास्ता माँग रहा है"),
            say(
                format!(
                    "Somebody said that the factors of your account are lost. Nothing happens before {}. If it was \
                     not you, sign in and call it off.",
                    moment(*not_before)
                ),
                format!(
                    "किसी ने कहा है कि आपके खाते के कारक खो गए हैं। {} से पहले कुछ नहीं होगा। यदि वह आप नहीं थे, तो \
                     साइन इन करके इसे रोक दें।",
                    moment(*not_before)
                ),
            ),
        ),
        Mail::RecoveryUsed => (
            text("Your account was entered without its factors", "आपके खाते में बिना कारक के प्रवेश हुआ"),
            text(
                "The way back that was asked for has been used, and the earlier factors are gone.",
                "माँगा गया रास्ता इस्तेमाल हो गया है, और पुराने कारक हट गए हैं।",
            ),
        ),
        Mail::ContentRead => (
            text("Staff may read your chats", "कर्मचारी आपकी बातचीत पढ़ सकते हैं"),
            text(
                "Two members of staff agreed that your chats may be read. Your account page says who, why and until when.",
                "दो कर्मचारियों ने सहमति दी है कि आपकी बातचीत पढ़ी जा सकती है। आपके खाते का पन्ना बताता है कि कौन, क्यों और कब तक।",
            ),
        ),
        Mail::Deactivated => (
            text("Your account was closed", "आपका खाता बंद किया गया"),
            text(
                "Your account was closed by those who run this server. Your data is still there.",
                "इस सर्वर को चलाने वालों ने आपका खाता बंद कर दिया है। आपका डेटा अभी मौजूद है।",
            ),
        ),
        Mail::Deleted => (
            text("Your account was deleted", "आपका खाता हटा दिया गया"),
            text(
                "Your account and all of its data were deleted, and the key that opened them was destroyed.",
                "आपका खाता और उसका सारा डेटा हटा दिया गया है, और उसे खोलने वाली कुंजी नष्ट कर दी गई है।",
            ),
        ),
        _ => (
            text("Mail arrives", "मेल पहुँचता है"),
            text("This is a test. Mail from this server arrives.", "यह एक परीक्षण है। इस सर्वर का मेल पहुँचता है।"),
        ),
    }
}

fn day(at: Timestamp) -> String {
    written(at, |at| at.format(format_description!("[day padding:none] [month repr:long] [year]")))
}

fn moment(at: Timestamp) -> String {
    written(at, |at| {
        at.format(format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"))
    })
}

fn written(at: Timestamp, form: impl Fn(OffsetDateTime) -> Result<String, time::error::Format>) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    form(at).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_reads_well_and_carries_its_link_once_in_each_form() {
        let mail = Mail::Invitation { from: "Ada <b>".into(), token: "abc".into(), days: 7 };
        let worded = worded(&mail, "", "https://troth.example", "Troth");
        let (plain, html) = (worded.plain(), worded.html());
        assert!(plain.contains("Make your account:\nhttps://troth.example/invitation#abc"), "{plain}");
        assert!(html.contains("href=\"https://troth.example/invitation#abc\""), "{html}");
        assert!(html.contains("Ada &lt;b&gt;") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("<img") && !html.contains("src=") && html.matches("href=").count() == 1);
    }

    #[test]
    fn every_mail_is_worded_in_both_languages() {
        let at = Timestamp(1_763_847_720_000_000);
        let all = [
            Mail::Invitation { from: "A".into(), token: "t".into(), days: 7 },
            Mail::ConfirmAddress { token: "t".into(), minutes: 60 },
            Mail::Reset { token: "t".into(), minutes: 60 },
            Mail::AddressChanged,
            Mail::PasswordChanged,
            Mail::PasswordDue { by: at },
            Mail::FactorsChanged,
            Mail::NewSignIn { device: "d".into(), place: "p".into(), at },
            Mail::RecoveryAsked { not_before: at },
            Mail::RecoveryUsed,
            Mail::ContentRead,
            Mail::Deactivated,
            Mail::Deleted,
            Mail::CallerCode { code: "123456".into(), minutes: 10 },
            Mail::Test,
        ];
        let mut subjects: Vec<String> = Vec::new();
        for mail in &all {
            let [english, hindi] =
                ["en", "hi-IN"].map(|language| worded(mail, language, "https://x", "Troth"));
            assert_ne!(english.plain(), hindi.plain(), "{mail:?}");
            assert!(!english.subject.is_empty() && hindi.html().contains("lang=\"hi\""), "{mail:?}");
            subjects.push(english.subject);
        }
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), all.len(), "two kinds are worded alike");
    }
}
