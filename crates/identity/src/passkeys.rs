//! Passkeys: made on the account page, shown to sign in (alone or after a password) or to confirm.
//!
//! Called by the account, sign-in and confirmation pages. The invariants: an answer is believed only when
//! it fits a question of ours that was not answered before, came from one of our addresses, carries its
//! person's verification (a fingerprint, a PIN) and a counter that went up; one whose counter went back is
//! put out of use, because there may be two of it. RSA keys are neither offered nor taken.

use domain::{
    Action, Actor, Ctx, Denied, Resource, Secret,
    audit::{Act, Entry},
    authorize, enforced,
    id::{PasskeyId, UserId},
};
use serde_json::{Value, json};
use store::{Tx, accounts, passkeys, passkeys::NewPasskey};
use webauthn_rs::prelude::{
    AuthenticationResult, COSEAlgorithm, Passkey, PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
    WebauthnError, WebauthnResult,
};
use zeroize::Zeroizing;

use crate::{
    Error, Identity,
    ceremonies::{Asked, Ceremony},
    permits,
};

/// Passkeys an account may have.
const MOST: usize = 20;
/// Longest answer of an authenticator that is looked at, in bytes.
const MOST_BYTES: usize = 16 * 1024;
/// Longest name of a passkey, in characters.
const NAME_CHARS: usize = 60;
/// The number of RS256 in the registry of COSE algorithms.
const RS256: i64 = -257;

/// A question for an authenticator.
#[derive(Debug)]
pub struct Challenge {
    /// Names the question when its answer comes. Good for one answer.
    pub ticket: Secret<String>,
    /// What `navigator.credentials` is to be called with, binary values in base64url.
    pub options: Value,
}

/// A passkey that was shown and verified, and is to be noted as used in the transaction that acts on it.
pub(crate) struct Verified {
    id: PasskeyId,
    passkey: Zeroizing<Vec<u8>>,
    counter: u32,
}

impl Identity {
    /// Asks the authenticator of the person who asks to make a passkey for the host `host`.
    ///
    /// # Errors
    /// [`Error::Denied`] when the last confirmation is too long ago, [`Error::NoPasskeysHere`],
    /// [`Error::TooMany`].
    pub async fn begin_passkey(&self, ctx: &Ctx, host: &str) -> Result<Challenge, Error> {
        let permit = self.managing_factors(ctx).await?;
        let user = permit.subject(Action::ManageCredentials)?;
        let party = self.ceremonies().party(host)?;
        let read = permits::own(ctx, Action::ReadAccount)?;
        let name = accounts::get(self.store(), &read).await?.name;
        let held = passkeys::list(self.store(), &read).await?;
        if held.len() >= MOST {
            return Err(Error::TooMany { what: "passkeys", most: 20 });
        }
        let mut exclude = Vec::new();
        for one in held.iter().filter(|one| one.party == host) {
            exclude.push(open(&one.passkey)?.cred_id().clone());
        }
        let (options, state) = party
            .start_passkey_registration(user.0, &name, &name, Some(exclude))
            .map_err(|_| Error::Broken("a passkey could not be asked for"))?;
        let asked = Asked::Make { user, state };
        self.ask(ctx, host, asked, offered(serde_json::to_value(options)))
    }

    /// Keeps the passkey the authenticator made, under a name. What comes back are recovery codes, when it
    /// is the account's first factor.
    ///
    /// # Errors
    /// [`Error::TicketGone`] when it answers no question of ours, or a second time; [`Error::Refused`] when
    /// it is not a proper answer; [`Error::Label`] for a name that is none.
    pub async fn finish_passkey(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        name: &str,
        answer: &str,
    ) -> Result<Option<Vec<Secret<String>>>, Error> {
        let permit = self.managing_factors(ctx).await?;
        let me = permit.subject(Action::ManageCredentials)?;
        let name = tidy_name(name)?;
        let Ceremony { party, asked: Asked::Make { user, state } } = self.answered(ctx, ticket)? else {
            return Err(Error::TicketGone);
        };
        if user != me {
            return Err(Error::TicketGone);
        }
        let answer: RegisterPublicKeyCredential = read(answer)?;
        let made = self.ceremonies().party(&party)?.finish_passkey_registration(&answer, &state);
        let passkey = made.map_err(refused)?;
        if *passkey.cred_algorithm() == COSEAlgorithm::RS256 {
            return Err(Error::Refused);
        }
        let sealed = close(&passkey)?;
        let mut tx = self.store().begin(ctx).await?;
        let first = !self.has_factor(ctx, me).await?;
        let new = NewPasskey {
            id: PasskeyId::fresh(ctx),
            credential: passkey.cred_id(),
            party: &party,
            name: &name,
            passkey: &sealed,
            counter: 0,
        };
        match passkeys::create(&mut tx, &permit, &new, ctx.now()).await {
            Err(store::Error::Conflict) => return Err(Error::Refused),
            other => other?,
        }
        let codes = if first { Some(self.fresh_codes(&mut tx, ctx, &permit).await?) } else { None };
        self.changed(tx, ctx, Entry::new(Act::FactorSet, new.id)).await?;
        Ok(codes)
    }

    /// Asks for any passkey the authenticator holds for the host `host`: sign-in without a name.
    ///
    /// # Errors
    /// [`Error::NoPasskeysHere`].
    pub fn begin_passkey_sign_in(&self, ctx: &Ctx, host: &str) -> Result<Challenge, Error> {
        let asked = self.ceremonies().party(host)?.start_discoverable_authentication();
        let (mut options, state) = asked.map_err(|_| Error::Broken("a passkey could not be asked for"))?;
        // The page has a button for it; the browser is not to wait for a field to be touched.
        options.mediation = None;
        self.ask(ctx, host, Asked::Any(state), serde_json::to_value(options).unwrap_or_default())
    }

    /// Asks for a passkey of the person who asks, to confirm who they are.
    ///
    /// # Errors
    /// [`Error::NoPasskeysHere`], also when they have none for this host.
    pub async fn begin_passkey_confirmation(&self, ctx: &Ctx, host: &str) -> Result<Challenge, Error> {
        let Actor::Person { user, session, .. } = ctx.actor else { return Err(Denied::ANONYMOUS.into()) };
        self.ask_for_one(&permits::authenticating(ctx), host, user, Some(session)).await
    }

    /// Asks for a passkey of `user` at the host `host`.
    pub(crate) async fn ask_for_one(
        &self,
        ctx: &Ctx,
        host: &str,
        user: UserId,
        session: Option<domain::id::SessionId>,
    ) -> Result<Challenge, Error> {
        let party = self.ceremonies().party(host)?;
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let mut allowed = Vec::new();
        for one in passkeys::list(self.store(), &permit).await? {
            if one.party == host && !one.suspended {
                allowed.push(open(&one.passkey)?);
            }
        }
        if allowed.is_empty() {
            return Err(Error::NoPasskeysHere);
        }
        let asked = party.start_passkey_authentication(&allowed);
        let (options, state) = asked.map_err(|_| Error::Broken("a passkey could not be asked for"))?;
        let asked = Asked::One { user, session, state };
        self.ask(ctx, host, asked, serde_json::to_value(options).unwrap_or_default())
    }

    /// Who showed a passkey without saying a name.
    pub(crate) async fn verify_any(
        &self,
        ctx: &Ctx,
        ticket: &Secret<String>,
        answer: &str,
    ) -> Result<(UserId, Verified), Error> {
        let Ceremony { party, asked: Asked::Any(state) } = self.answered(ctx, ticket)? else {
            return Err(Error::TicketGone);
        };
        let answer: PublicKeyCredential = read(answer)?;
        let relying = self.ceremonies().party(&party)?;
        let (user, _) = relying.identify_discoverable_authentication(&answer).map_err(refused)?;
        let user = UserId(user);
        let verified = self
            .verify(ctx, user, &party, &answer, |relying, passkey| {
                relying.finish_discoverable_authentication_v2(&answer, state, passkey)
            })
            .await?;
        Ok((user, verified))
    }

    /// Verifies a passkey of `user`, shown for `session` or, without one, at their sign-in.
    pub(crate) async fn verify_one(
        &self,
        ctx: &Ctx,
        user: UserId,
        session: Option<domain::id::SessionId>,
        ticket: &Secret<String>,
        answer: &str,
    ) -> Result<Verified, Error> {
        let Ceremony { party, asked } = self.answered(ctx, ticket)?;
        let Asked::One { user: asked_of, session: asked_for, state } = asked else {
            return Err(Error::TicketGone);
        };
        if (asked_of, asked_for) != (user, session) {
            return Err(Error::TicketGone);
        }
        let answer: PublicKeyCredential = read(answer)?;
        self.verify(ctx, user, &party, &answer, |relying, _| {
            relying.finish_passkey_authentication(&answer, &state)
        })
        .await
    }

    /// Notes within `tx` that a passkey was used.
    ///
    /// # Errors
    /// [`Error::Refused`] when it was used or put out of use meanwhile.
    pub(crate) async fn use_passkey(
        &self,
        tx: &mut Tx,
        ctx: &Ctx,
        user: UserId,
        shown: &Verified,
    ) -> Result<(), Error> {
        let permit = authorize(&permits::authenticating(ctx), Action::WriteAccount, Resource::Of(user))?;
        let Verified { id, passkey, counter } = shown;
        if passkeys::note_use(tx, &permit, *id, passkey, *counter, ctx.now()).await? {
            return Ok(());
        }
        enforced!(AUT09);
        Err(Error::Refused)
    }

    async fn verify(
        &self,
        ctx: &Ctx,
        user: UserId,
        party: &str,
        answer: &PublicKeyCredential,
        check: impl FnOnce(&Webauthn, &Passkey) -> WebauthnResult<AuthenticationResult>,
    ) -> Result<Verified, Error> {
        let ctx = &permits::authenticating(ctx);
        let permit = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        for one in passkeys::list(self.store(), &permit).await? {
            let mut passkey = open(&one.passkey)?;
            if one.party != party || one.suspended || passkey.cred_id().as_slice() != answer.raw_id.as_slice()
            {
                continue;
            }
            let result = match check(self.ceremonies().party(party)?, &passkey) {
                Ok(result) => result,
                Err(WebauthnError::CredentialPossibleCompromise) => {
                    self.suspend(ctx, user, one.id).await?;
                    return Err(Error::Refused);
                }
                Err(error) => return Err(refused(error)),
            };
            // The library asks for it already; a passkey alone opens an account by it.
            if !result.user_verified() {
                return Err(Error::Refused);
            }
            passkey.update_credential(&result);
            return Ok(Verified { id: one.id, passkey: close(&passkey)?, counter: result.counter() });
        }
        enforced!(AUT09);
        Err(Error::Refused)
    }

    /// Puts a passkey out of use and says so in the log: somebody may hold a copy.
    async fn suspend(&self, ctx: &Ctx, user: UserId, id: PasskeyId) -> Result<(), Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let mut tx = self.store().begin(ctx).await?;
        enforced!(AUT09);
        if passkeys::suspend(&mut tx, &permit, id).await? {
            tx.commit(Entry::new(Act::PasskeySuspended, id)).await?;
            tracing::warn!(passkey = %id, "the counter of a passkey went back: it is out of use");
        }
        Ok(())
    }

    fn ask(&self, ctx: &Ctx, party: &str, asked: Asked, options: Value) -> Result<Challenge, Error> {
        // The browser wants what stands inside.
        let options =
            options.get("publicKey").cloned().ok_or(Error::Broken("a passkey question is empty"))?;
        let ticket = self.ceremonies().under_way.issue(ctx, Ceremony { party: party.to_owned(), asked });
        Ok(Challenge { ticket, options })
    }

    /// Takes the question a ticket names; no second answer will find it.
    fn answered(&self, ctx: &Ctx, ticket: &Secret<String>) -> Result<Ceremony, Error> {
        let held = self.ceremonies().under_way.take(ticket.expose(), ctx.now());
        if held.is_none() {
            enforced!(AUT09);
        }
        held.map(|held| held.value).ok_or(Error::TicketGone)
    }
}

/// The options of a registration as we offer them: no RSA, and kept in the authenticator where it can, so
/// that nobody has to type a name.
fn offered(options: serde_json::Result<Value>) -> Value {
    let mut options = options.unwrap_or_default();
    let public = &mut options["publicKey"];
    if let Some(algorithms) = public["pubKeyCredParams"].as_array_mut() {
        algorithms.retain(|one| one["alg"] != json!(RS256));
    }
    public["authenticatorSelection"]["residentKey"] = json!("preferred");
    options
}

/// A name for a passkey, without control characters and not longer than a list can show.
pub(crate) fn tidy_name(name: &str) -> Result<String, Error> {
    let tidy = domain::name::tidy(name).map_err(|_| Error::Label)?;
    if tidy.chars().count() > NAME_CHARS { Err(Error::Label) } else { Ok(tidy) }
}

/// Reads what a browser sent.
fn read<T: serde::de::DeserializeOwned>(answer: &str) -> Result<T, Error> {
    if answer.len() > MOST_BYTES {
        return Err(Error::Refused);
    }
    serde_json::from_str(answer).map_err(|_| Error::Refused)
}

/// Any reason not to believe an authenticator is one and the same answer.
fn refused(error: WebauthnError) -> Error {
    enforced!(AUT09);
    tracing::debug!(%error, "an answer of an authenticator was refused");
    Error::Refused
}

fn open(sealed: &[u8]) -> Result<Passkey, Error> {
    serde_json::from_slice(sealed).map_err(|_| Error::Broken("a stored passkey cannot be read"))
}

fn close(passkey: &Passkey) -> Result<Zeroizing<Vec<u8>>, Error> {
    serde_json::to_vec(passkey).map(Zeroizing::new).map_err(|_| Error::Broken("a passkey cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rsa_is_not_offered_and_keys_that_need_no_name_are_preferred() {
        let options = json!({ "publicKey": {
            "pubKeyCredParams": [{ "alg": -7 }, { "alg": -35 }, { "alg": -257 }],
            "authenticatorSelection": { "residentKey": "discouraged", "userVerification": "required" },
        } });
        let offered = offered(Ok(options));
        assert_eq!(offered["publicKey"]["pubKeyCredParams"], json!([{ "alg": -7 }, { "alg": -35 }]));
        let selection = &offered["publicKey"]["authenticatorSelection"];
        assert_eq!(
            (&selection["residentKey"], &selection["userVerification"]),
            (&json!("preferred"), &json!("required"))
        );
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for not in ["", "{}", "[]", "null", "{\"id\":1}", &"x".repeat(MOST_BYTES + 1)] {
            assert!(matches!(read::<PublicKeyCredential>(not), Err(Error::Refused)));
            assert!(matches!(read::<RegisterPublicKeyCredential>(not), Err(Error::Refused)));
        }
    }

    #[test]
    fn names_are_short_and_printable() {
        assert_eq!(tidy_name("  my   phone ").unwrap(), "my phone");
        for not in ["", " ", "a\u{202E}b", &"x".repeat(61)] {
            assert!(matches!(tidy_name(not), Err(Error::Label)), "{not}");
        }
    }
}
