//! What is known about one sign-in service: its discovery document and its keys, read when needed.
//!
//! Called by the sign-in and the administration. The invariants: documents are read by one caller at a time,
//! at most every few seconds, are taken only from the issuer they speak for, and serve for an hour; a key we
//! do not know makes us read them again, at most once a minute, so that nobody can make us ask without end.

use domain::{Ctx, Secret, Timestamp};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, Client, ClientId, ClientSecret, EmptyExtraTokenFields,
    EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenClaims, IdTokenFields,
    IssuerUrl, ProviderMetadata, RedirectUrl, StandardErrorResponse, StandardTokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod,
        CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
        CoreResponseMode, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreSubjectIdentifierType, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Connection, Fetch, Sso, SsoConfig, SsoProblem};
use crate::Error;

/// Seconds documents serve before they are read again.
const FRESH_S: i64 = 60 * 60;
/// Seconds documents serve when they cannot be read again.
const STALE_S: i64 = 24 * 60 * 60;
/// Seconds between two readings because of an unknown key.
const NEWER_S: i64 = 60;
/// Seconds between two tries that failed.
const RETRY_S: i64 = 5;
/// Most keys of one service.
const MOST_KEYS: usize = 64;

/// What a discovery document says beyond the core.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct More {
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

/// Claims beyond the standard ones, as they came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Extra(pub(super) serde_json::Map<String, serde_json::Value>);

impl openidconnect::AdditionalClaims for Extra {}

pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

pub(super) type Claims = IdTokenClaims<Extra, CoreGenderClaim>;
pub(super) type Token =
    IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

/// Us, at this service.
pub(super) type Us = Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How new the documents must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// Those we have will do for an hour.
    Any,
    /// They lack a key: read them again unless that was just done.
    Newer,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Metadata, Timestamp)>,
    tried: Option<Timestamp>,
    problem: Option<&'static str>,
}

/// One sign-in service.
pub(super) struct Provider {
    sso: Sso,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    known: Mutex<Known>,
}

impl Provider {
    /// The service `sso`, which sends people back to `address` (`https://host[:port]`).
    pub(super) fn new(sso: Sso, address: &str) -> Result<Self, Error> {
        let wrong = |_| Error::Broken("an address of a sign-in service is not one");
        let issuer = IssuerUrl::new(sso.config.issuer.clone()).map_err(wrong)?;
        let back = format!("{address}/sign-in/with/{}/done", sso.config.name);
        let redirect = RedirectUrl::new(back).map_err(wrong)?;
        Ok(Self { sso, issuer, redirect, known: Mutex::default() })
    }

    pub(super) fn config(&self) -> &SsoConfig {
        &self.sso.config
    }

    pub(super) fn fetch(&self) -> &Fetch {
        &self.sso.fetch
    }

    /// What its button says.
    pub(super) fn label(&self) -> &str {
        let config = self.config();
        if config.label.is_empty() { &config.name } else { &config.label }
    }

    /// The service's documents.
    pub(super) async fn metadata(&self, ctx: &Ctx, want: Want) -> Result<Metadata, Error> {
        let now = ctx.now();
        // One caller reads, the others wait for what it read.
        let mut known = self.known.lock().await;
        let age = known.metadata.as_ref().map(|(_, at)| now.seconds_since(*at));
        let limit = if want == Want::Newer { NEWER_S } else { FRESH_S };
        let due = age.is_none_or(|age| !(0..limit).contains(&age));
        let tried_lately = known.tried.is_some_and(|at| (0..RETRY_S).contains(&now.seconds_since(at)));
        if due && !tried_lately {
            known.tried = Some(now);
            match self.discover().await {
                Ok(metadata) => *known = Known { metadata: Some((metadata, now)), ..Known::default() },
                Err(why) => {
                    tracing::warn!(connection = self.config().name, why, "a sign-in service cannot be used");
                    known.problem = Some(why);
                }
            }
        }
        let serves = |at: &Timestamp| (0..STALE_S).contains(&now.seconds_since(*at));
        let usable = known.metadata.as_ref().filter(|(_, at)| serves(at)).map(|(found, _)| found.clone());
        usable.ok_or(Error::Sso(SsoProblem::Unreachable))
    }

    /// The service's documents, if they are known already.
    pub(super) async fn known(&self) -> Option<Metadata> {
        self.known.lock().await.metadata.as_ref().map(|(metadata, _)| metadata.clone())
    }

    async fn discover(&self) -> Result<Metadata, &'static str> {
        use openidconnect::DiscoveryError as D;
        let found = Metadata::discover_async(self.issuer.clone(), &self.sso.fetch).await.map_err(
            |error| match error {
                D::Request(_) => "It does not answer.",
                D::Response(..) => "It answers with an error instead of its documents.",
                D::Parse(_) => "Its documents are not in the form OpenID Connect asks for.",
                D::Validation(_) => "Its documents speak for another issuer than the one configured.",
                _ => "Its documents cannot be used.",
            },
        )?;
        if found.jwks().keys().len() > MOST_KEYS {
            return Err("It publishes more keys than one service needs.");
        }
        if found.token_endpoint().is_none() {
            return Err("It names no address to redeem codes at.");
        }
        Ok(found)
    }

    /// Us as this service knows us.
    pub(super) fn us(&self, metadata: Metadata) -> Us {
        let config = self.config();
        let secret = config.client_secret.as_ref().map(Secret::expose).cloned().map(ClientSecret::new);
        let methods = metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let auth = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        Us::from_provider_metadata(metadata, ClientId::new(config.client_id.clone()), secret)
            .set_redirect_uri(self.redirect.clone())
            .set_auth_type(auth)
    }

    /// How it is doing.
    pub(super) async fn state(&self) -> Connection {
        let (config, known) = (self.config(), self.known.lock().await);
        Connection {
            name: config.name.clone(),
            label: self.label().to_owned(),
            issuer: config.issuer.clone(),
            redirect_uri: self.redirect.to_string(),
            last_good: known.metadata.as_ref().map(|(_, at)| *at),
            problem: known.problem,
            creates_accounts: config.create_accounts,
            honours_factors: !config.second_factor_acr.is_empty() || !config.second_factor_amr.is_empty(),
        }
    }
}
