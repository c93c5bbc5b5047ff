//! What an operator decides.

use mcp_edge_oauth::{
    Scopes, is_scope_token,
    resource_server::TrustedIssuer,
    settings::{CredentialSettings, PersonalTokens, ResourceServerSettings},
    token::{denied::parse_time, profile::TokenProfile},
};
use mcp_edge_runtime::{
    color::Color,
    log::LogSettings,
    secret::Secret,
    settings::{Reader, SettingsError},
};
use mcp_edge_sign_in::client::{Client, SecretMethod};

use crate::{
    connection::{
        self,
        settings::{Connections, ConnectionsSecret, Kind},
    },
    secrets::connections::ConnectionSecrets,
};

/// The path of the redirect URI at the provider.
pub const CALLBACK_PATH: &str = "/account/callback";

/// Of every secret that keys are made of, in characters.
const MIN_SECRET_LENGTH: usize = 32;

/// Where Cloudflare can keep Durable Objects.
const JURISDICTIONS: [&str; 2] = ["eu", "fedramp"];

/// Scopes that every authorization of a key asks for, or that are about the user's profile: they are no scopes of keys.
const OPENID_SCOPES: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];

/// The longest name of a tool (MCP 2025-11-25, tools, "Tool names").
pub const MAX_TOOL_NAME: usize = 128;

/// The settings of the vault.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The endpoint that the keys are for, and whom it trusts: the same settings as its own.
    pub server: ResourceServerSettings,
    /// The vault's client at the provider.
    pub client: Client,
    /// What ids, sealed grants and sessions are protected with; at least 32 characters.
    pub secret: Secret,
    /// Where Durable Objects may be (`eu`, `fedramp`), decided before the first one exists.
    pub jurisdiction: Option<String>,
    /// The prefix of keys.
    pub key_prefix: String,
    /// The scopes that users may give keys, without `SCOPE_PREFIX`; those that every request needs come first.
    pub key_scopes: Vec<String>,
    /// The tools that users may choose from; if empty they write names.
    pub key_tools: Vec<String>,
    /// The longest life of a key, in days.
    pub max_days: u64,
    /// How many keys a user may have that work.
    pub keys_per_user: u32,
    /// Keys that were made before this moment (seconds since 1970) are revoked.
    pub not_before: Option<u64>,
    /// How many seconds ago the sign-in may be when a key is made.
    pub sign_in_max_age: u64,
    /// How many days a refresh token lives at the provider.
    pub refresh_days: u64,
    /// What administration is authenticated with; `None`: there is none.
    pub admin_secret: Option<Secret>,
    /// How personal access tokens are exchanged; `None`: they are not.
    pub personal_tokens: Option<PersonalTokens>,
    /// The services that tools reach for users.
    pub connections: Connections,
    /// What the tokens of connected accounts are sealed with; `None`: no account can be connected.
    pub connections_secret: Option<ConnectionsSecret>,
    /// The colour of the pages.
    pub color: Color,
    /// What is logged.
    pub log: LogSettings,
    /// What is worth a line of the log when the Worker starts.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads and checks all settings. `get` returns the text under a name, or `None`.
    ///
    /// # Errors
    /// Every error that was found.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(&get);
        let settings = Self::read(&mut reader);
        distinct_secrets(&mut reader, &settings);
        reader.finish(settings)
    }

    /// What is derived from `CONNECTIONS_SECRET`; `None`: no account can be connected.
    #[must_use]
    pub fn connection_secrets(&self) -> Option<ConnectionSecrets> {
        let ConnectionsSecret { current, previous } = self.connections_secret.as_ref()?;
        Some(ConnectionSecrets::new(current, previous.as_ref()))
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        let server = ResourceServerSettings::read(reader);
        let mut warnings: Vec<String> = server.trust.warnings().collect();
        let client = client(reader, &server, &mut warnings);
        let secret = long_secret(reader, "VAULT_SECRET");
        if secret.is_none() {
            reader.error(
                "VAULT_SECRET must be set, with at least 32 characters, for example from `openssl rand -base64 32`: set it \
                 with `wrangler secret put`, and keep a copy, because without it no key works",
            );
        }
        let credentials = CredentialSettings::read(reader, &server.resource, &server.trust, false);
        warnings.extend(credentials.warnings());
        let (connections, connections_secret) = connection::read::read(reader, &server, &client);
        warnings.extend(users_unknown(&server, &connections));
        let key_scopes = key_scopes(reader, &server.trust.required_scopes, &mut warnings);
        Self {
            jurisdiction: jurisdiction(reader),
            key_prefix: credentials.key_prefix,
            key_scopes,
            key_tools: key_tools(reader),
            max_days: number(reader, "KEY_MAX_DAYS", 90, 1, 365),
            keys_per_user: u32::try_from(number(reader, "KEYS_PER_USER", 20, 1, 100)).unwrap_or(1),
            not_before: not_before(reader),
            sign_in_max_age: number(reader, "SIGN_IN_MAX_AGE", 600, 60, 3_600),
            refresh_days: number(reader, "REFRESH_DAYS", 14, 1, 3_650),
            admin_secret: admin_secret(reader),
            personal_tokens: credentials.personal_tokens,
            connections,
            connections_secret,
            color: color(reader),
            log: LogSettings::read(reader),
            server,
            client,
            secret: secret.unwrap_or_else(|| Secret::new("")),
            warnings,
        }
    }
}

/// A secret that is long enough; `None` if it is not set, or too short.
fn long_secret(reader: &Reader<'_>, name: &str) -> Option<Secret> {
    reader.secret(name).filter(|secret| secret.expose().len() >= MIN_SECRET_LENGTH)
}

/// The vault's client. One that the endpoint refuses could make keys that never work.
fn client(reader: &mut Reader<'_>, server: &ResourceServerSettings, warnings: &mut Vec<String>) -> Client {
    let client_id = reader.text("VAULT_CLIENT_ID").unwrap_or_default();
    let client_secret = reader.secret("VAULT_CLIENT_SECRET");
    let redirect_uri = format!("{}{CALLBACK_PATH}", server.resource.origin);
    if client_id.is_empty() {
        reader.error(format!(
            "VAULT_CLIENT_ID is not set: create a confidential client for the vault at the provider, with the redirect URI \
             {redirect_uri}, and give its id"
        ));
    }
    if client_secret.is_none() {
        reader.error(
            "VAULT_CLIENT_SECRET is not set: set it with `wrangler secret put` to the secret of VAULT_CLIENT_ID",
        );
    }
    let clients = &server.trust.clients;
    if !client_id.is_empty() && clients.check(Some(&client_id)).is_err() {
        reader.wrong_value(
            "VAULT_CLIENT_ID",
            &client_id,
            "is refused by ALLOWED_CLIENTS or DENIED_CLIENTS, so that no key would work: add it to the first, here and at \
             the endpoint, or remove it from the second",
        );
    }
    if clients.first_party.contains(&client_id) {
        warnings.push(format!(
            "FIRST_PARTY_CLIENTS names VAULT_CLIENT_ID ({client_id:?}), which gives keys nothing: remove it"
        ));
    }
    Client { client_id, client_secret, method: SecretMethod::AsSupported, redirect_uri }
}

/// A warning if there are connections of users, and tokens of an issuer that are not known to be of users unless they say so.
fn users_unknown(server: &ResourceServerSettings, connections: &Connections) -> Option<String> {
    let of_user = connections.iter().find(|connection| !matches!(connection.kind, Kind::Static(_)))?;
    let mut issuers = server.trust.issuers.iter();
    let is_unknown = |issuer: &&TrustedIssuer| {
        issuer.profile.provider.name == TokenProfile::default().provider.name && !issuer.profile.user_by_subject
    };
    let TrustedIssuer { issuer, .. } = issuers.find(is_unknown)?;
    Some(format!(
        "the connection {} is for users, and PROVIDER of {issuer} is \"generic\": its access tokens are refused there with \
         \"the caller is no user\" unless they say that they are of a user. Set PROVIDER if the provider has a name here, or \
         USER_BY_SUBJECT = \"true\" if it gives every machine its client ID as sub, here and at the endpoint; or have it write \
         auth_time or amr into access tokens",
        of_user.name
    ))
}

fn jurisdiction(reader: &mut Reader<'_>) -> Option<String> {
    let jurisdiction = reader.text("VAULT_JURISDICTION")?;
    if !JURISDICTIONS.contains(&jurisdiction.as_str()) {
        reader.wrong_value("VAULT_JURISDICTION", &jurisdiction, "must be \"eu\" or \"fedramp\", or not set");
    }
    Some(jurisdiction)
}

/// The scopes that users choose from. What every request needs is among them: a key without it could do nothing.
fn key_scopes(reader: &mut Reader<'_>, required: &Scopes, warnings: &mut Vec<String>) -> Vec<String> {
    let chosen = reader.words("KEY_SCOPES");
    for scope in &chosen {
        if OPENID_SCOPES.contains(&scope.as_str()) {
            reader.wrong_entry("KEY_SCOPES", scope, "is a scope of OpenID Connect, which no key can have: remove it");
        } else if !is_scope_token(scope) {
            let problem = "is not a scope (RFC 6749 allows visible ASCII without quote and backslash)";
            reader.wrong_entry("KEY_SCOPES", scope, problem);
        }
    }
    if chosen.is_empty() && required.is_empty() {
        reader.error(
            "KEY_SCOPES is not set, and neither is REQUIRED_SCOPES: name the scopes that users may give keys, such as \
             \"whoami:read\"",
        );
    }
    let left_out: Vec<&str> = required.iter().filter(|scope| !chosen.iter().any(|it| it == scope)).collect();
    if !chosen.is_empty() && !left_out.is_empty() {
        warnings.push(format!(
            "KEY_SCOPES lacks {:?} of REQUIRED_SCOPES: every key has them, because nothing works without",
            left_out.join(" ")
        ));
    }
    let offered = required.union(&chosen.iter().map(String::as_str).collect());
    let further = offered.iter().filter(|scope| !required.contains(scope));
    required.iter().chain(further).map(str::to_owned).collect()
}

fn key_tools(reader: &mut Reader<'_>) -> Vec<String> {
    let mut tools = Vec::new();
    for tool in reader.words("KEY_TOOLS") {
        if tool.len() > MAX_TOOL_NAME || tool.contains('*') {
            reader.wrong_entry("KEY_TOOLS", &tool, "must be the whole name of one tool: there are no patterns");
        }
        if !tools.contains(&tool) {
            tools.push(tool);
        }
    }
    tools
}

fn not_before(reader: &mut Reader<'_>) -> Option<u64> {
    let text = reader.text("KEYS_NOT_BEFORE")?;
    let time = parse_time(&text);
    if time.is_none() {
        let problem = "must be a time in UTC such as 2026-11-25T20:00:00Z, or seconds since 1970";
        reader.wrong_value("KEYS_NOT_BEFORE", &text, problem);
    }
    time
}

fn admin_secret(reader: &mut Reader<'_>) -> Option<Secret> {
    let secret = long_secret(reader, "ADMIN_SECRET");
    if secret.is_none() && reader.secret("ADMIN_SECRET").is_some() {
        reader.error(
            "ADMIN_SECRET must have at least 32 characters, for example from `openssl rand -base64 32`: set it with \
             `wrangler secret put`, or delete it to have no administration",
        );
    }
    secret
}

/// One secret for two purposes would be known in two places.
fn distinct_secrets(reader: &mut Reader<'_>, settings: &Settings) {
    let mut secrets = vec![("VAULT_SECRET", &settings.secret)];
    secrets.extend(settings.client.client_secret.iter().map(|secret| ("VAULT_CLIENT_SECRET", secret)));
    secrets.extend(settings.admin_secret.iter().map(|secret| ("ADMIN_SECRET", secret)));
    if let Some(ConnectionsSecret { current, previous }) = &settings.connections_secret {
        secrets.push(("CONNECTIONS_SECRET", current));
        secrets.extend(previous.iter().map(|secret| ("CONNECTIONS_SECRET_PREVIOUS", secret)));
    }
    for (at, (name, secret)) in secrets.iter().enumerate() {
        if let Some((other, _)) = secrets[..at].iter().find(|(_, known)| known == secret && !known.expose().is_empty())
        {
            reader.error(format!("{name} must not be {other}: give each a value of its own"));
        }
    }
}

fn color(reader: &mut Reader<'_>) -> Color {
    let Some(text) = reader.text("PAGE_COLOR") else { return Color::DEFAULT };
    Color::parse(&text).unwrap_or_else(|| {
        let problem = format!("must be a colour such as {}: a hash and six digits", Color::DEFAULT);
        reader.wrong_value("PAGE_COLOR", &text, &problem);
        Color::DEFAULT
    })
}

fn number(reader: &mut Reader<'_>, name: &str, default: u64, lowest: u64, highest: u64) -> u64 {
    match reader.text(name).map(|text| (text.parse::<u64>(), text)) {
        None => default,
        Some((Ok(number), _)) if (lowest..=highest).contains(&number) => number,
        Some((_, text)) => {
            reader.wrong_value(name, &text, &format!("must be a whole number between {lowest} and {highest}"));
            default
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
