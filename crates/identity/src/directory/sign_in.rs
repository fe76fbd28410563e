//! Signing in at another service: out to it with a question, back from it with an answer.
//!
//! Called by the pages under `/sign-in/with`. The invariants: the answer belongs to a question this browser
//! asked (state and a cookie of its own), once, at the service it was asked of (an address of return of its
//! own, and `iss`, RFC 9207); the code is redeemed with the verifier only we know (PKCE, S256); nobody gets
//! a session before the token that came with it has proven who they are; what the service says counts as a
//! confirmation from when its person signed in there, and as an owner's factor never.

use std::time::Duration;

use domain::{
    Action, Ctx, Resource, Secret, Timestamp,
    access::Role,
    audit::{Act, Entry},
    authorize, enforced,
    id::{SessionId, UserId},
};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, CsrfToken, LogoutRequest, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, Scope, TokenResponse,
    core::{CoreAuthPrompt, CoreResponseType},
};
use store::{accounts, sessions};

use super::{
    Connection, SsoProblem,
    own_factor::FactorWanted,
    proof::{self, AHEAD_S, Assertion, Flaw},
    provider::{Metadata, Provider, Tokens, Want},
};
use crate::{
    Error, Identity, NewSession, Next, permits,
    tokens::{self, Hash},
};

/// Longest code a service may send.
const CODE_BYTES: usize = 4096;

/// What a question is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Somebody wants in.
    SignIn,
    /// Somebody who is in confirms who they are.
    Confirm { user: UserId, session: SessionId },
}

/// A question that waits for its answer.
pub(crate) struct UnderWay {
    connection: String,
    binding: Hash,
    nonce: Secret<String>,
    verifier: Secret<String>,
    wish: String,
    purpose: Purpose,
    /// Before this, a sign-in of its person at the service is too long ago.
    not_before: Timestamp,
}

/// A question to a service.
#[derive(Debug)]
pub struct SsoBegun {
    /// Where the browser is to go.
    pub url: String,
    /// The cookie that binds the answer to this browser.
    pub binding: Secret<String>,
}

/// What came back in the address.
#[derive(Clone, Debug, Default)]
pub struct SsoAnswer {
    /// `code`
    pub code: Option<Secret<String>>,
    /// `state`
    pub state: Option<Secret<String>>,
    /// `iss` (RFC 9207)
    pub iss: Option<String>,
    /// Whether there was an `error`.
    pub declined: bool,
}

/// Where it ended.
#[derive(Debug)]
pub struct SsoEnd {
    /// A session, or the factor that is asked for.
    pub next: Next,
    /// The page the person wanted to see.
    pub wish: String,
}

impl Identity {
    /// The services people may sign in with: names and labels.
    #[must_use]
    pub fn sso_choices(&self) -> Vec<(String, String)> {
        let providers = &self.directory().providers;
        providers.iter().map(|one| (one.config().name.clone(), one.label().to_owned())).collect()
    }

    /// How each connection is doing.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the actor may change the instance.
    pub async fn sso_connections(&self, ctx: &Ctx) -> Result<Vec<Connection>, Error> {
        authorize(ctx, Action::WriteInstance, Resource::Instance)?;
        let mut states = Vec::new();
        for provider in &self.directory().providers {
            states.push(provider.state().await);
        }
        Ok(states)
    }

    /// Reads the documents of a connection again, to see whether it works.
    ///
    /// # Errors
    /// [`Error::Sso`] when it does not; [`Error::Denied`] unless the actor may manage the directory.
    pub async fn try_sso(&self, ctx: &Ctx, name: &str) -> Result<(), Error> {
        authorize(ctx, Action::ManageDirectory, Resource::Instance)?;
        self.directory().provider(name)?.metadata(ctx, Want::Newer).await.map(drop)
    }

    /// Where people who signed out here can sign out of a service as well, where it offers that.
    pub async fn sso_sign_outs(&self) -> Vec<(String, String)> {
        let mut links = Vec::new();
        for provider in self.directory().providers.iter().filter(|one| one.config().sign_out) {
            let offered = provider.known().await;
            let offered = offered.and_then(|known| known.additional_metadata().end_session_endpoint.clone());
            let back = PostLogoutRedirectUrl::new(format!("{}/sign-in", self.address()));
            if let (Some(endpoint), Ok(back)) = (offered, back) {
                let id = openidconnect::ClientId::new(provider.config().client_id.clone());
                let request =
                    LogoutRequest::from(endpoint).set_client_id(id).set_post_logout_redirect_uri(back);
                links.push((provider.label().to_owned(), request.http_get_url().to_string()));
            }
        }
        links
    }

    /// The first step: the question. `held` is the binding cookie this browser has from before, if any.
    ///
    /// # Errors
    /// [`Error::Sso`]: unknown or unreachable.
    pub async fn begin_sso(
        &self,
        ctx: &Ctx,
        name: &str,
        held: Option<&str>,
        wish: &str,
    ) -> Result<SsoBegun, Error> {
        self.ask_service(ctx, name, held, wish, Purpose::SignIn).await
    }

    /// A question of either kind. Whoever confirms must sign in there anew; whoever signs in, within the time a
    /// session may last here.
    pub(super) async fn ask_service(
        &self,
        ctx: &Ctx,
        name: &str,
        held: Option<&str>,
        wish: &str,
        purpose: Purpose,
    ) -> Result<SsoBegun, Error> {
        let longest_s = match purpose {
            Purpose::SignIn => u64::from(self.numbers().absolute_hours) * 3600,
            Purpose::Confirm { .. } => 0,
        };
        let not_before = ctx.now().plus_seconds(-i64::try_from(longest_s).unwrap_or(i64::MAX) - AHEAD_S);
        let provider = self.directory().provider(name)?;
        let metadata = provider.metadata(ctx, Want::Any).await?;
        // One cookie for all tabs of a browser: a second question must not spoil the first.
        let kept = held.and_then(|held| Some((Secret::new(held.to_owned()), tokens::hash_presented(held)?)));
        let (binding, binding_hash) = kept.unwrap_or_else(|| tokens::fresh(ctx));
        let (nonce, _) = tokens::fresh(ctx);
        let (verifier, _) = tokens::fresh(ctx);
        let state = self.directory().under_way.issue(
            ctx,
            UnderWay {
                connection: name.to_owned(),
                binding: binding_hash,
                nonce: nonce.clone(),
                verifier: verifier.clone(),
                wish: wish.to_owned(),
                purpose,
                not_before,
            },
        );
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.expose().clone()));
        let us = provider.us(metadata);
        let mut request = us
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(state.expose().clone()),
                move || Nonce::new(nonce.expose().clone()),
            )
            .add_scopes(provider.config().scopes.iter().cloned().map(Scope::new))
            .set_max_age(Duration::from_secs(longest_s))
            .set_pkce_challenge(challenge);
        if matches!(purpose, Purpose::Confirm { .. }) {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, ..) = request.url();
        Ok(SsoBegun { url: url.to_string(), binding })
    }

    /// The second step: the answer.
    ///
    /// # Errors
    /// [`Error::Sso`] with what to do, [`Error::Busy`], [`Error::Store`].
    pub async fn finish_sso(
        &self,
        ctx: &Ctx,
        name: &str,
        answer: SsoAnswer,
        binding: Option<&str>,
        device: &str,
    ) -> Result<SsoEnd, Error> {
        let ctx = &permits::authenticating(ctx);
        let provider = self.directory().provider(name)?;
        let under_way = self.belongs(ctx, name, &answer, binding)?;
        let proven = match self.redeem(ctx, provider, answer, &under_way).await {
            Ok(proven) => proven,
            Err(error) => {
                if matches!(error, Error::Sso(SsoProblem::Unproven)) {
                    self.note_failure(ctx, None).await?;
                }
                return Err(error);
            }
        };
        if let Purpose::Confirm { user, session } = under_way.purpose {
            return self.confirmed_by_service(ctx, &proven, (user, session), under_way.wish).await;
        }
        let user = self.admit(ctx, provider, &proven).await?;
        self.let_in(ctx, user, &proven, under_way.wish, device).await
    }

    /// The question that `answer` belongs to. It is used up by this, whatever comes of it.
    fn belongs(
        &self,
        ctx: &Ctx,
        name: &str,
        answer: &SsoAnswer,
        binding: Option<&str>,
    ) -> Result<UnderWay, Error> {
        let stray = Error::Sso(SsoProblem::Stray);
        let Some(state) = &answer.state else { return Err(stray) };
        let taken = self.directory().under_way.take(state.expose(), ctx.now());
        let Some(under_way) = taken.map(|held| held.value) else { return Err(stray) };
        let bound = binding.and_then(tokens::hash_presented) == Some(under_way.binding);
        if under_way.connection == name && bound { Ok(under_way) } else { Err(stray) }
    }

    /// Redeems the code and checks what it brings.
    async fn redeem(
        &self,
        ctx: &Ctx,
        provider: &Provider,
        answer: SsoAnswer,
        under_way: &UnderWay,
    ) -> Result<Assertion, Error> {
        let metadata = provider.metadata(ctx, Want::Any).await?;
        let must_say_who = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        match &answer.iss {
            Some(iss) if iss != metadata.issuer().as_str() => {
                return Err(unproven(provider, "another issuer answered"));
            }
            None if must_say_who => return Err(unproven(provider, "the answer does not say who gives it")),
            _ => {}
        }
        let code = answer.code.filter(|_| !answer.declined).ok_or(Error::Sso(SsoProblem::Declined))?;
        if code.expose().len() > CODE_BYTES {
            return Err(unproven(provider, "the code is too long"));
        }
        let tokens = exchange(provider, metadata.clone(), &code, &under_way.verifier).await?;
        let nonce = Nonce::new(under_way.nonce.expose().clone());
        let token = tokens.id_token().ok_or_else(|| unproven(provider, "there is no ID token"))?;
        let prove = |metadata: &Metadata| {
            proof::prove(metadata, provider.config(), token, tokens.access_token(), &nonce, ctx.now())
        };
        let proven = match prove(&metadata) {
            Err(Flaw::UnknownKey) => prove(&provider.metadata(ctx, Want::Newer).await?),
            other => other,
        };
        let proven = proven.map_err(|flaw| match flaw {
            Flaw::UnknownKey => unproven(provider, "it is signed with a key the service does not publish"),
            Flaw::Other(why) => unproven(provider, why),
        })?;
        match (proven.authenticated, under_way.purpose) {
            (Some(at), _) if at < under_way.not_before => {
                enforced!(SSO01);
                Err(unproven(provider, "its person signed in there longer ago than was asked for"))
            }
            (None, Purpose::Confirm { .. }) => {
                enforced!(SSO01);
                Err(unproven(provider, "it does not say when its person signed in there"))
            }
            _ => Ok(proven),
        }
    }

    /// A session for somebody who is proven and has an account, or our own second factor first: where the account
    /// must have one and the service showed none, or it is an owner's, whom no service stands in for.
    async fn let_in(
        &self,
        ctx: &Ctx,
        user: UserId,
        proven: &Assertion,
        wish: String,
        device: &str,
    ) -> Result<SsoEnd, Error> {
        let read = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let footing = self.footing(ctx, user).await?;
        let is_owner = footing.roles().has(Role::Owner);
        let shown = proven.second_factor && !is_owner;
        if !shown && self.must_have_factor(footing.rights()) {
            enforced!(AUT10);
            let factors = self.factors_of(ctx, &read).await?;
            if factors.guard() {
                let passkey = factors.passkeys.iter().any(|one| !one.suspended);
                let wanted = FactorWanted { user, wish: wish.clone() };
                let ticket = self.directory().factors.issue(ctx, wanted);
                return Ok(SsoEnd { next: Next::Factor { ticket, passkey }, wish });
            }
            if is_owner {
                return Err(Error::Sso(SsoProblem::OwnFactor));
            }
            return Ok(SsoEnd { next: self.must_enrol(ctx, user).await?, wish });
        }
        let session = self.open_sso_session(ctx, user, proven, device).await?;
        Ok(SsoEnd { next: Next::Done(session), wish })
    }

    async fn open_sso_session(
        &self,
        ctx: &Ctx,
        user: UserId,
        proven: &Assertion,
        device: &str,
    ) -> Result<NewSession, Error> {
        let permit = authorize(ctx, Action::WriteAccount, Resource::Of(user))?;
        let read = authorize(ctx, Action::ReadAccount, Resource::Of(user))?;
        let mut tx = self.store().begin(ctx).await?;
        // Closed since it was looked at: what is read under the writers' turn stands until the commit.
        if !accounts::get(self.store(), &read).await?.active {
            return Err(Error::Sso(SsoProblem::Closed));
        }
        let session = self.open_session(&mut tx, ctx, &permit, device, proven.second_factor).await?;
        // A service that knew its person from before, or does not say, asked for no credential just now.
        let at = proven.authenticated.map_or(Timestamp(0), |at| at.min(ctx.now()));
        sessions::confirmed_at(&mut tx, &permit, session.id, at).await?;
        tx.commit(Entry::new(Act::SignedIn, user)).await?;
        Ok(session)
    }
}

/// Changes a code into tokens.
async fn exchange(
    provider: &Provider,
    metadata: Metadata,
    code: &Secret<String>,
    verifier: &Secret<String>,
) -> Result<Tokens, Error> {
    use openidconnect::RequestTokenError as E;
    let us = provider.us(metadata);
    let request = us
        .exchange_code(AuthorizationCode::new(code.expose().clone()))
        .map_err(|_| Error::Sso(SsoProblem::Unreachable))?
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()));
    request.request_async(provider.fetch()).await.map_err(|error| match error {
        E::Request(_) => Error::Sso(SsoProblem::Unreachable),
        E::ServerResponse(_) => unproven(provider, "it does not redeem the code"),
        _ => unproven(provider, "its tokens are not in the form OpenID Connect asks for"),
    })
}

/// Says in the log why an answer proves nothing; the person learns that it did not.
fn unproven(provider: &Provider, why: &'static str) -> Error {
    tracing::warn!(connection = provider.config().name, why, "an answer of a sign-in service was refused");
    Error::Sso(SsoProblem::Unproven)
}
