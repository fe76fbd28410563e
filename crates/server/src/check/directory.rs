//! Checks of the organisation's directory: that lying tokens prove nothing, and that nobody provisions.

use assure::Unanswered;
use domain::{Control, Ctx, check::Finding};
use reqwest::{Method, StatusCode};

use super::{judge, probe::Probe};
use crate::instance::Face;

pub(super) async fn lies_prove_nothing(_face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let wrong = identity::try_tokens(&ctx).err().map(str::to_owned);
    let good = "An honest answer of a sign-in service was believed, and every one that lies was not.";
    Ok(judge(Control::SSO01, &ctx, wrong, good))
}

pub(super) async fn nobody_provisions(face: Face, ctx: Ctx) -> Result<Finding, Unanswered> {
    let probe = Probe::of(&face)?;
    let made_up = format!("Bearer troth_scim_{}", "A".repeat(43));
    let mut wrong = None;
    for (method, path) in [
        (Method::GET, "/scim/v2/Users"),
        (Method::POST, "/scim/v2/Users"),
        (Method::DELETE, "/scim/v2/Users/01890a5d-ac96-774b-bcce-b302099a8057"),
        (Method::GET, "/scim/v2/Groups"),
        (Method::GET, "/scim/v2/ServiceProviderConfig"),
    ] {
        for token in [None, Some(&made_up)] {
            let mut request = probe.ask(method.clone(), path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            if probe.send(request).await?.status != StatusCode::UNAUTHORIZED {
                wrong = Some(format!("{method} {path} was answered without a token of the directory."));
            }
        }
    }
    Ok(judge(Control::SSO02, &ctx, wrong, "Provisioning was refused without a token and with a made-up one."))
}
