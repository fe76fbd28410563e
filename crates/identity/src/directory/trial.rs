//! Asks the running program to judge tokens: one honest, and others that each lie in one thing.
//!
//! Called by the check of the policy. It makes a service of its own with a fresh key, asks nobody outside,
//! and leaves nothing behind.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use domain::Ctx;
use openidconnect::{AccessToken, JsonWebKeySet, Nonce};
use serde_json::{Value, json};

use super::{SsoConfig, proof, provider::Metadata, provider::Token};

const ISSUER: &str = "https://trial.invalid";
const US: &str = "us";
const NONCE: &str = "the nonce of this trial";

/// A way to lie.
type Lie = fn(&mut Value, &mut Value, i64);

/// How many lies were refused.
///
/// # Errors
/// What was judged wrongly, in words.
pub fn try_tokens(ctx: &Ctx) -> Result<usize, &'static str> {
    let broken = "the trial itself could not be held";
    let key = Ed25519KeyPair::from_seed_unchecked(&ctx.random::<32>()).map_err(|_| broken)?;
    let foreign = Ed25519KeyPair::from_seed_unchecked(&ctx.random::<32>()).map_err(|_| broken)?;
    let metadata = metadata(&key).ok_or(broken)?;
    let config = SsoConfig { client_id: US.to_owned(), ..SsoConfig::default() };
    let now = ctx.now();
    let proves = |lie: Lie, signer: &Ed25519KeyPair| {
        let mut header = json!({ "alg": "EdDSA", "kid": "trial" });
        let mut claims = json!({
            "iss": ISSUER, "aud": US, "sub": "somebody", "nonce": NONCE,
            "iat": now.seconds(), "exp": now.seconds() + 60,
        });
        lie(&mut header, &mut claims, now.seconds());
        let token = signed(&header, &claims, signer)?;
        let (access, nonce) = (AccessToken::new("access".to_owned()), Nonce::new(NONCE.to_owned()));
        Some(proof::prove(&metadata, &config, &token, &access, &nonce, now).is_ok())
    };
    if proves(|_, _, _| {}, &key) != Some(true) {
        return Err("An honest answer of a sign-in service would be refused.");
    }
    let lies: [(Lie, &'static str); 7] = [
        (|header, _, _| header["alg"] = "none".into(), "An unsigned answer would be taken."),
        (
            |header, _, _| header["alg"] = "HS256".into(),
            "An answer signed with a shared secret would be taken.",
        ),
        (
            |_, claims, _| claims["iss"] = "https://other.invalid".into(),
            "Another issuer's answer would be taken.",
        ),
        (|_, claims, _| claims["aud"] = "them".into(), "An answer meant for others would be taken."),
        (|_, claims, _| claims["nonce"] = "another".into(), "An answer to another sign-in would be taken."),
        (|_, claims, now| claims["exp"] = (now - 1).into(), "An answer that has expired would be taken."),
        (|_, claims, _| claims["at_hash"] = "AAAA".into(), "Another token's answer would be taken."),
    ];
    for (lie, told) in lies {
        // What cannot even be read opens nothing either.
        if proves(lie, &key) == Some(true) {
            return Err(told);
        }
    }
    if proves(|_, _, _| {}, &foreign) != Some(false) {
        return Err("An answer signed with a foreign key would be taken.");
    }
    Ok(lies.len() + 1)
}

fn metadata(key: &Ed25519KeyPair) -> Option<Metadata> {
    let found: Metadata = serde_json::from_value(json!({
        "issuer": ISSUER,
        "authorization_endpoint": ISSUER,
        "jwks_uri": ISSUER,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
    .ok()?;
    let key = serde_json::from_value(json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "trial", "x": B64.encode(key.public_key().as_ref()),
    }));
    Some(found.set_jwks(JsonWebKeySet::new(vec![key.ok()?])))
}

fn signed(header: &Value, claims: &Value, key: &Ed25519KeyPair) -> Option<Token> {
    let input = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
    let signature = B64.encode(key.sign(input.as_bytes()).as_ref());
    format!("{input}.{signature}").parse().ok()
}
