//! The way to the mail server: goes there, under TLS, and sends nothing.

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};

use super::judge;
use crate::{config::MailTls, instance::Face};

pub(super) async fn the_way_is_under_tls(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let post = face.post().map_err(|failure| Unanswered::because(failure.to_string()))?;
    let Some(post) = post else {
        let why = "No mail server is configured; links are shown to whoever makes them.";
        return Ok(Finding::not_applicable(Control::MAI01, ctx.now(), why));
    };
    let wrong = post.knock().await.err().map(|why| format!("Mail cannot be handed over: {why}."));
    let good = "The mail server answers, under TLS with a verified certificate, and lets us in.";
    let way = match face.config.mail.tls {
        MailTls::Starttls => "STARTTLS",
        MailTls::Implicit => "TLS from the start",
        MailTls::NoneOnLoopback => "this machine itself",
    };
    Ok(judge(Control::MAI01, &ctx, wrong, good).fact("way", way))
}
