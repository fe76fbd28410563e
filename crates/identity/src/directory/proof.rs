//! Whether a sign-in service's token proves who somebody is, and what it then says about them.
//!
//! Called by the sign-in and by the check of the running system. The invariants: the algorithm is one of
//! three that need the service's private key; the token is for us, from the configured issuer, for this very
//! sign-in (nonce), in time, and belongs to the access token it came with; nothing is read before all of that.

use domain::{Timestamp, access::Role, access::Roles, enforced};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, Nonce,
    SignatureVerificationError,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm},
};
use serde_json::{Map, Value};

use super::{
    config::SsoConfig,
    provider::{Claims, Metadata, Token},
};

/// What a token may be signed with. No `none`, nothing that a shared secret signs.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 3] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// Seconds another service's clock may be ahead of ours.
pub(super) const AHEAD_S: i64 = 60;
/// Longest identifier of a person at a service (OpenID Connect Core 2).
const SUBJECT_BYTES: usize = 255;

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is signed with a key we have not seen: the service may have a new one.
    UnknownKey,
    /// Anything else, in words for the log.
    Other(&'static str),
}

/// What a service says about somebody it has proven to know.
#[derive(Clone, Debug)]
pub(super) struct Assertion {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) preferred: Option<String>,
    /// The e-mail address, when the service has verified it.
    pub(super) email: Option<String>,
    pub(super) roles: Roles,
    pub(super) second_factor: bool,
    /// When its person signed in at the service, if it says so.
    pub(super) authenticated: Option<Timestamp>,
    /// Every claim, for the rules that name one.
    pub(super) claims: Map<String, Value>,
}

/// Checks everything there is to check about `token`.
pub(super) fn prove(
    metadata: &Metadata,
    config: &SsoConfig,
    token: &Token,
    access: &AccessToken,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<Assertion, Flaw> {
    let verifier: IdTokenVerifier<'_, CoreJsonWebKey> = IdTokenVerifier::new_public_client(
        ClientId::new(config.client_id.clone()),
        metadata.issuer().clone(),
        metadata.jwks().clone(),
    );
    let moment = chrono::DateTime::from_timestamp_micros(now.0).ok_or(Flaw::Other("the clock is wrong"))?;
    let latest = moment + chrono::TimeDelta::seconds(AHEAD_S);
    let verifier = verifier
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || moment)
        .set_issue_time_verifier_fn(move |at| if at <= latest { Ok(()) } else { Err(String::new()) });
    let claims = token.claims(&verifier, nonce).map_err(|error| {
        enforced!(SSO01);
        flaw(&error)
    })?;
    if let Some(expected) = claims.access_token_hash() {
        let other = |_| Flaw::Other("its at_hash cannot be checked");
        let key = token.signing_key(&verifier).map_err(other)?;
        let algorithm = token.signing_alg().map_err(other)?;
        let found = AccessTokenHash::from_token(access, algorithm, key);
        if found.map_err(|_| Flaw::Other("its at_hash cannot be checked"))? != *expected {
            return Err(Flaw::Other("it belongs to another access token"));
        }
    }
    if claims.auth_time().is_some_and(|at| at > latest) {
        return Err(Flaw::Other("its times are wrong"));
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > SUBJECT_BYTES {
        return Err(Flaw::Other("it names nobody"));
    }
    Ok(read(config, claims))
}

fn read(config: &SsoConfig, claims: &Claims) -> Assertion {
    let all = match serde_json::to_value(claims) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    };
    let verified = claims.email_verified() == Some(true);
    let roles = config.roles.iter().filter(|rule| holds(&all, &rule.claim, &rule.value));
    let acr = claims.auth_context_ref().map(|acr| acr.as_str());
    let amr = claims.auth_method_refs().into_iter().flatten().map(|amr| amr.as_str());
    let by_acr = acr.is_some_and(|acr| config.second_factor_acr.iter().any(|known| known == acr));
    let by_amr = amr.into_iter().any(|amr| config.second_factor_amr.iter().any(|known| known == amr));
    Assertion {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        preferred: claims.preferred_username().map(|name| name.to_string()),
        email: claims.email().filter(|_| verified).map(|email| email.to_string()),
        roles: roles.map(|rule| rule.role).filter(|role| *role != Role::Owner).collect(),
        second_factor: by_acr || by_amr,
        authenticated: claims.auth_time().map(|at| Timestamp(at.timestamp_micros())),
        claims: all,
    }
}

impl Assertion {
    /// A claim that is one text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        find(&self.claims, claim)?.as_str()
    }

    /// Whether `claim` is `value`, or a list that holds it.
    pub(super) fn holds(&self, claim: &str, value: &str) -> bool {
        holds(&self.claims, claim, value)
    }

    /// Whether the verified address lies at one of `domains`; everybody's does when there are none.
    pub(super) fn is_of(&self, domains: &[String]) -> bool {
        let domain = self.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        domains.is_empty()
            || domain.is_some_and(|domain| domains.iter().any(|one| one.eq_ignore_ascii_case(domain)))
    }
}

/// Whether `claim` is `value`, or a list that holds it.
fn holds(claims: &Map<String, Value>, claim: &str, value: &str) -> bool {
    match find(claims, claim) {
        Some(Value::String(one)) => one == value,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(value)),
        _ => false,
    }
}

/// A claim by its whole name, or by stepping into objects at dots.
fn find<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(claim) {
        return Some(found);
    }
    let (first, rest) = claim.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// What was wrong, without the library's words, which quote the token.
fn flaw(error: &ClaimsVerificationError) -> Flaw {
    use ClaimsVerificationError as E;
    use SignatureVerificationError as S;
    Flaw::Other(match error {
        E::SignatureVerification(S::NoMatchingKey) => return Flaw::UnknownKey,
        E::SignatureVerification(S::NoSignature) => "it is not signed",
        E::SignatureVerification(S::DisallowedAlg(_) | S::UnsupportedAlg(_)) => {
            "its algorithm is not allowed"
        }
        E::SignatureVerification(_) => "its signature is wrong",
        E::Expired(_) => "it has expired",
        E::InvalidAudience(_) => "it is meant for somebody else",
        E::InvalidIssuer(_) => "another issuer made it",
        E::InvalidNonce(_) => "it belongs to another sign-in",
        E::Other(_) | E::InvalidAuthTime(_) => "its times are wrong",
        _ => "it is of a kind we do not take",
    })
}
