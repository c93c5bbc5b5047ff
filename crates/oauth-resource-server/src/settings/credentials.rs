//! `KEY_PREFIX` and `PAT_*`: the credentials that are exchanged for access tokens.

use mcp_edge_access_keys::format::DEFAULT_PREFIX;
use mcp_edge_runtime::settings::Reader;

use super::{resource::Resource, scopes};
use crate::{
    exchange::token_exchange::{LOGTO_TOKEN_TYPE, TokenExchange},
    resource_server::TrustPolicy,
};

/// How long an access token is used without another exchange of the personal access token unless set, in seconds: each
/// exchange leaves a grant at Logto, and a deleted token lives on for so long.
pub const PAT_SECONDS: u64 = 300;

/// Shorter, the provider would be asked at most requests; longer, deleting a token would mean little.
const POSSIBLE_PAT_SECONDS: std::ops::RangeInclusive<u64> = 30..=3600;

/// The settings of the exchange itself, which the vault does where there is one.
const EXCHANGE_SETTINGS: [&str; 4] = ["PAT_SCOPES", "PAT_TOKEN_TYPE", CLIENT_ID, CLIENT_SECRET];

const CLIENT_ID: &str = "PAT_CLIENT_ID";
const CLIENT_SECRET: &str = "PAT_CLIENT_SECRET";

/// Which credentials are exchanged for access tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialSettings {
    /// The prefix of access keys.
    pub key_prefix: String,
    /// The provider's personal access tokens, if they are accepted.
    pub personal_tokens: Option<PersonalTokens>,
    /// Settings that have no effect.
    unused: Vec<&'static str>,
}

/// How personal access tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalTokens {
    /// What they begin with.
    pub prefix: String,
    /// How long an access token is used without another exchange.
    pub seconds: u64,
    /// The exchange at the provider; `None`: the vault does it.
    pub exchange: Option<TokenExchange>,
}

impl CredentialSettings {
    /// Creates settings from what was read and checked before.
    #[must_use]
    pub const fn new(key_prefix: String, personal_tokens: Option<PersonalTokens>) -> Self {
        Self { key_prefix, personal_tokens, unused: Vec::new() }
    }

    /// Reads and checks these settings; errors are left in `reader`. `has_vault`: the vault exchanges personal access tokens,
    /// and what belongs to the exchange itself is set there.
    pub fn read(reader: &mut Reader<'_>, resource: &Resource, trust: &TrustPolicy, has_vault: bool) -> Self {
        let key_prefix = key_prefix(reader);
        let set = |reader: &Reader<'_>, name: &&str| reader.text(name).is_some();
        let mut unused: Vec<&str> = EXCHANGE_SETTINGS.into_iter().filter(|name| set(reader, name)).collect();
        let personal_tokens = if let Some(prefix) = reader.text("PAT_PREFIX") {
            check_pat_prefix(reader, &prefix, &key_prefix);
            let seconds = pat_seconds(reader);
            let exchange = if has_vault { None } else { exchange(reader, resource, trust) };
            if !has_vault {
                unused.clear();
            }
            Some(PersonalTokens { prefix, seconds, exchange })
        } else {
            for name in ["PAT_SCOPES", "PAT_SECONDS", "PAT_TOKEN_TYPE"] {
                if set(reader, &name) {
                    reader.error([name, " needs PAT_PREFIX: set both or none"].concat());
                }
            }
            None
        };
        Self { key_prefix, personal_tokens, unused }
    }

    /// What the operator should know of these settings although no request is refused for it.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let why = if self.personal_tokens.is_some() {
            " is set and not used: the vault exchanges personal access tokens. Delete it here, and set it there"
        } else {
            " is set and not used: delete it, or set PAT_PREFIX"
        };
        self.unused.iter().map(move |name| [name, why].concat())
    }
}

fn key_prefix(reader: &mut Reader<'_>) -> String {
    let Some(prefix) = reader.text("KEY_PREFIX") else { return DEFAULT_PREFIX.to_owned() };
    let is_plain = prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_plain || !(2..=12).contains(&prefix.len()) || !prefix.starts_with(|first: char| first.is_ascii_lowercase()) {
        let problem = "must be 2 to 12 lower-case letters and digits, a letter first";
        reader.wrong_value("KEY_PREFIX", &prefix, problem);
    }
    prefix
}

fn check_pat_prefix(reader: &mut Reader<'_>, prefix: &str, key_prefix: &str) {
    let of_keys = [key_prefix, "_"].concat();
    let is_plain = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    let problem = if !is_plain || !(4..=32).contains(&prefix.len()) {
        "must be 4 to 32 letters, digits and - _ . ~"
    } else if prefix.starts_with("ey") {
        "could be the beginning of a JWT: it must not begin with ey"
    } else if prefix.contains(key_prefix) || of_keys.starts_with(prefix) {
        "must differ from KEY_PREFIX, and neither may contain the other"
    } else {
        return;
    };
    reader.wrong_value("PAT_PREFIX", prefix, problem);
}

fn pat_seconds(reader: &mut Reader<'_>) -> u64 {
    let Some(text) = reader.text("PAT_SECONDS") else { return PAT_SECONDS };
    match text.parse() {
        Ok(seconds) if POSSIBLE_PAT_SECONDS.contains(&seconds) => seconds,
        _ => {
            reader.wrong_value("PAT_SECONDS", &text, "must be a whole number of seconds from 30 to 3600");
            PAT_SECONDS
        }
    }
}

/// What the exchange at the provider needs.
fn exchange(reader: &mut Reader<'_>, resource: &Resource, trust: &TrustPolicy) -> Option<TokenExchange> {
    let scopes = scopes(reader, "PAT_SCOPES");
    if scopes.is_empty() {
        reader.error("PAT_PREFIX needs PAT_SCOPES: the scopes that personal access tokens are exchanged for");
    } else if !trust.hierarchy.expand(scopes.clone()).covers(&trust.required_scopes) {
        reader.error("PAT_SCOPES must cover REQUIRED_SCOPES");
    }
    let subject_token_type = reader.text("PAT_TOKEN_TYPE").unwrap_or_else(|| LOGTO_TOKEN_TYPE.to_owned());
    if !subject_token_type.contains(':') || !subject_token_type.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.wrong_value("PAT_TOKEN_TYPE", &subject_token_type, "must be a URI");
    }
    let Some((client_id, client_secret)) = reader.text(CLIENT_ID).zip(reader.secret(CLIENT_SECRET)) else {
        reader.error(
            "PAT_PREFIX needs the secrets PAT_CLIENT_ID and PAT_CLIENT_SECRET: set them with `wrangler secret put`, at \
             the vault if one is bound",
        );
        return None;
    };
    if trust.clients.check(Some(&client_id)).is_err() {
        reader.error(
            "PAT_CLIENT_ID must be on ALLOWED_CLIENTS, if set, and not on DENIED_CLIENTS: access tokens name it",
        );
    }
    let scope = trust.scope_prefix.requested(&scopes).to_string();
    Some(TokenExchange { client_id, client_secret, subject_token_type, resource: resource.url.clone(), scopes, scope })
}

#[cfg(test)]
mod tests;
