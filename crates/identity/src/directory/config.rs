//! What a deployment says about one sign-in service: `[[identity.sso]]`. Read by the server.

use std::path::PathBuf;

use domain::{Secret, access::Role};
use serde::Deserialize;

/// One sign-in service.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SsoConfig {
    /// Its name in addresses and variables: `a-z`, `0-9`, `-`.
    pub name: String,
    /// What its button says after "Sign in with".
    pub label: String,
    /// The issuer, exactly as its discovery document spells it.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// The secret that goes with it; none for a public client, which PKCE alone protects.
    pub client_secret: Option<Secret<String>>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Which claims give which roles, asked anew at each sign-in.
    pub roles: Vec<RoleRule>,
    /// Which claims put somebody into which groups, asked anew at each sign-in.
    pub groups: Vec<GroupRule>,
    /// Only people with a verified e-mail address at one of these; everybody of the service when empty.
    pub allowed_domains: Vec<String>,
    /// Whether people who are new here get an account.
    pub create_accounts: bool,
    /// The claim whose value is the external identifier provisioning gave the account, e.g. `sub`; none:
    /// provisioned accounts are not linked.
    pub match_provisioned: Option<String>,
    /// Values of `acr` that count as a second factor.
    pub second_factor_acr: Vec<String>,
    /// Values of `amr` that count as a second factor.
    pub second_factor_amr: Vec<String>,
    /// Whether the page after signing out leads to signing out there as well.
    pub sign_out: bool,
    /// A PEM file with the authority to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
    /// Whether plain HTTP will do, for a service on this machine.
    pub allow_plain_http_loopback: bool,
}

/// A claim that gives a role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The claim; dots step into objects.
    pub claim: String,
    /// The value it must have, or hold.
    pub value: String,
    /// The role it gives; not `owner`.
    pub role: Role,
}

/// A claim that puts somebody into a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// The claim; dots step into objects.
    pub claim: String,
    /// The value it must have, or hold.
    pub value: String,
    /// The name of the group.
    pub group: String,
}

impl Default for SsoConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            label: String::new(),
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            scopes: vec!["profile".to_owned(), "email".to_owned()],
            roles: Vec::new(),
            groups: Vec::new(),
            allowed_domains: Vec::new(),
            create_accounts: false,
            match_provisioned: None,
            second_factor_acr: Vec::new(),
            second_factor_amr: Vec::new(),
            sign_out: false,
            ca_file: None,
            allow_plain_http_loopback: false,
        }
    }
}

/// Says in a sentence what is wrong with the connections of a deployment, if something is.
///
/// # Errors
/// The sentence.
pub fn check(all: &[SsoConfig]) -> Result<(), String> {
    for (at, one) in all.iter().enumerate() {
        let name = &one.name;
        let shaped = (1..=32).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !shaped {
            return Err(
                "Every `[[identity.sso]]` needs a `name` of a-z, 0-9 and -, at most 32 long.".to_owned()
            );
        }
        if all[..at].iter().any(|other| other.name == *name) {
            return Err(format!("Two connections in `[[identity.sso]]` are called `{name}`."));
        }
        if one.issuer.is_empty() || one.client_id.is_empty() {
            return Err(format!("The connection `{name}` needs an `issuer` and a `client_id`."));
        }
        if one.label.chars().count() > 40 || one.label.chars().any(char::is_control) {
            return Err(format!("The `label` of the connection `{name}` is longer than 40 characters."));
        }
        if one.roles.iter().any(|rule| rule.role == Role::Owner) {
            return Err(format!(
                "The connection `{name}` gives the role `owner`, which no directory may give."
            ));
        }
    }
    Ok(())
}
