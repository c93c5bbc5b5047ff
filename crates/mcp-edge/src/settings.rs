//! Settings: named strings in, a checked [`Settings`] out. Every mistake says how to mend it; all are found at once.
//!
//! Where the strings come from is the caller's business (at the edge: `[vars]` of `wrangler.toml` and secrets). The
//! names and their meaning are documented there and in the README.

use std::fmt::Write;

use serde::Deserialize;

use crate::{
    documents::registry::{self, RegistryEntry, ServerName},
    oauth::{
        access::{
            client::{ClientList, ClientPolicy},
            disclosure::Disclosure,
            scope::{Hierarchy, Scopes, is_scope_token},
        },
        mirror::Mirror,
        protected_resource::WELL_KNOWN,
        provider::{has_plain_authority, is_https_or_loopback},
        resource_server::{TrustPolicy, TrustedIssuer},
        token::{
            denied::{DeniedTokens, parse_time},
            jwt::{ACCESS_TOKEN_TYPES, POSSIBLE_TYPES},
            opaque::{AcceptedClients, Method, OpaquePolicy},
        },
    },
    page::color::Color,
    secret::Secret,
};

/// Issuers are part of a key in the store, which may have 512 bytes.
const MAX_URL_BYTES: usize = 400;

/// How long a positive answer about an opaque token is used unless set: this is how long a revoked token lives on.
const OPAQUE_SECONDS: u64 = 30;

/// A longer use would make revocation meaningless.
const MAX_OPAQUE_SECONDS: u64 = 600;

/// How long a negative answer about an opaque token is used: long enough to stop a loop, short enough to recover.
const OPAQUE_NEGATIVE_SECONDS: u64 = 10;

/// More issuers than any product federates with; each has its own keys to keep.
const MAX_ISSUERS: usize = 8;

/// Everything an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The canonical URL of the MCP endpoint.
    pub resource: Resource,
    /// Whom to trust.
    pub trust: TrustPolicy,
    /// Browser origins that may call the endpoint.
    pub origins: Origins,
    /// `resource_name` of the metadata document.
    pub name: Option<String>,
    /// `resource_documentation`.
    pub documentation: Option<String>,
    /// `resource_policy_uri`.
    pub privacy_policy: Option<String>,
    /// `resource_tos_uri`.
    pub terms_of_service: Option<String>,
    /// What the server is for, in a sentence.
    pub description: Option<String>,
    /// URL of an image that stands for the server.
    pub logo: Option<String>,
    /// How the server is listed in the MCP registry, if it is.
    pub registry_entry: Option<RegistryEntry>,
    /// The proof for the registry that the name is ours.
    pub registry_proof: Option<String>,
    /// Whether the experimental server card is published; there is a registry entry then.
    pub server_card: bool,
    /// Whether the provider's discovery document is shown on our origin, and how.
    pub mirror: Option<Mirror>,
    /// The page that people land on.
    pub page: PageSettings,
    /// Which requests are logged.
    pub log: LogLevel,
    /// Whether the log names the user (`sub`).
    pub log_subject: bool,
    /// Whether answers carry `Server-Timing`.
    pub development: bool,
    /// Seals what tools that ask back hand to the client; at least 32 characters.
    pub state_secret: Option<Secret>,
}

/// What the page at `/` is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSettings {
    /// Whether there is one.
    pub shown: bool,
    /// Its colour, as the operator has it.
    pub color: Color,
    /// The public client that the playground signs users in with, at the first issuer.
    pub playground_client_id: Option<String>,
    /// Where developers register their agents.
    pub developer_portal: Option<String>,
}

impl PageSettings {
    /// Whether users can sign in and call tools on the page.
    #[must_use]
    pub fn has_playground(&self) -> bool {
        self.shown && self.playground_client_id.is_some()
    }
}

/// The resource, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// As set.
    pub url: String,
    /// Scheme, host and port.
    pub origin: String,
    /// The endpoint's path, which begins with a slash and is longer than that.
    pub path: String,
}

impl Resource {
    /// URL of the path-inserted metadata document (RFC 9728 §3.1).
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}{WELL_KNOWN}{}", self.origin, self.path)
    }
}

/// Which browser origins may call the endpoint, beside its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All of them but `null`. The token, not the origin, is the credential here: no cookie is involved.
    Any,
    /// These, compared exactly.
    Listed(Vec<String>),
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// One line for each.
    All,
    /// Only refused and failed ones.
    Denials,
    /// None.
    Off,
}

/// What is wrong with the settings, one sentence for each mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub Vec<String>);

impl std::fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the settings are wrong, no request will be let through:")?;
        self.0.iter().try_for_each(|mistake| write!(formatter, "\n- {mistake}"))
    }
}

impl std::error::Error for SettingsError {}

/// Reads settings one by one and collects the mistakes. For Workers that have settings of their own beside these.
pub struct Reader<F> {
    get: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    /// Knows where the settings come from: `get` returns the text under a name, or `None`.
    #[must_use]
    pub fn new(get: F) -> Self {
        Self { get, mistakes: Vec::new() }
    }

    /// What was read, unless there was a mistake.
    ///
    /// # Errors
    /// Every mistake.
    pub fn finish<T>(self, read: T) -> Result<T, SettingsError> {
        if self.mistakes.is_empty() { Ok(read) } else { Err(SettingsError(self.mistakes)) }
    }

    /// The value, without surrounding white space; `None` if it is not set or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The value, split on white space.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<String> {
        self.text(name).unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// Notes a mistake: one sentence that begins with the setting's name and says how to mend it.
    pub fn mistake(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    /// An https URL (or plain http on loopback) without query and fragment.
    pub fn url(&mut self, name: &str) -> Option<String> {
        let url = self.text(name)?;
        match check_url(&url) {
            Ok(()) => Some(url),
            Err(problem) => {
                self.mistake(format!("{name} = {url:?} {problem}"));
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.text(name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                self.mistake(format!("{name} = {other:?} must be \"true\" or \"false\""));
                default
            }
        }
    }
}

impl Settings {
    /// Reads and checks all settings. `get` returns the text under a name, or `None`.
    ///
    /// # Errors
    /// Every mistake that was found.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(get);
        let resource = resource(&mut reader);
        let trust = trust(&mut reader, resource.as_ref());
        let settings = Self {
            resource: resource.unwrap_or(Resource { url: String::new(), origin: String::new(), path: String::new() }),
            trust,
            origins: origins(&mut reader),
            name: reader.text("RESOURCE_NAME"),
            documentation: reader.url("RESOURCE_DOCUMENTATION"),
            privacy_policy: reader.url("RESOURCE_POLICY_URI"),
            terms_of_service: reader.url("RESOURCE_TOS_URI"),
            description: reader.text("RESOURCE_DESCRIPTION"),
            logo: reader.url("LOGO"),
            registry_entry: registry_entry(&mut reader),
            registry_proof: registry_proof(&mut reader),
            server_card: server_card(&mut reader),
            mirror: mirror(&mut reader),
            page: page(&mut reader),
            log: log_level(&mut reader),
            log_subject: reader.flag("LOG_SUBJECT", true),
            development: reader.text("ENVIRONMENT").as_deref() == Some("development"),
            state_secret: state_secret(&mut reader),
        };
        reader.finish(settings)
    }
}

fn resource(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<Resource> {
    if reader.text("RESOURCE").is_none() {
        reader.mistake(
            "RESOURCE is not set: give the full URL of the MCP endpoint, for example https://mcp.example.com/mcp"
                .to_owned(),
        );
        return None;
    }
    let url = reader.url("RESOURCE")?;
    if let Some(problem) = not_normalized(&url) {
        reader.mistake(format!("RESOURCE = {url:?} {problem}: clients send the normalized URL, and then it differs"));
        return None;
    }
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let (origin, path) = match url[after_scheme..].find('/') {
        Some(slash) => url.split_at(after_scheme + slash),
        None => (url.as_str(), ""),
    };
    if path.len() < 2 || path.starts_with("/.well-known") {
        reader.mistake(format!(
            "RESOURCE = {url:?} must have a path, for example {origin}/mcp: clients add a slash to a URL without one, \
             and then audience and resource differ"
        ));
        return None;
    }
    Some(Resource { origin: origin.to_owned(), path: path.to_owned(), url })
}

fn trust(reader: &mut Reader<impl Fn(&str) -> Option<String>>, resource: Option<&Resource>) -> TrustPolicy {
    TrustPolicy {
        issuers: issuers(reader, resource),
        token_types: token_types(reader),
        required_scopes: scopes(reader, "REQUIRED_SCOPES"),
        hierarchy: hierarchy(reader),
        disclosure: Disclosure::parse(&reader.text("CLAIM_SCOPES").unwrap_or_default()).unwrap_or_else(|entry| {
            reader.mistake(format!("CLAIM_SCOPES: {entry:?} must have the form scope=claim,claim"));
            Disclosure::default()
        }),
        clients: ClientPolicy {
            allowed: ClientList::parse(&reader.text("ALLOWED_CLIENTS").unwrap_or_default()),
            denied: ClientList::parse(&reader.text("DENIED_CLIENTS").unwrap_or_default()),
            first_party: ClientList::parse(&reader.text("FIRST_PARTY_CLIENTS").unwrap_or_default()),
        },
        opaque: opaque(reader),
        denied: DeniedTokens { keys: denied_keys(reader), issued_before: denied_issued_before(reader) },
    }
}

/// A list that was written otherwise would deny nothing.
fn denied_keys(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Vec<String> {
    let keys = reader.words("DENIED_KEYS");
    if let Some(bad) = keys.iter().find(|key| key.contains([',', '"', '[', ']'])) {
        reader.mistake(format!("DENIED_KEYS: {bad:?} must be one key id or thumbprint: separate several by spaces"));
    }
    keys
}

/// A point in time, in seconds since 1970; 0 if it is not set.
fn denied_issued_before(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> u64 {
    let Some(text) = reader.text("DENIED_ISSUED_BEFORE") else { return 0 };
    parse_time(&text).unwrap_or_else(|| {
        reader.mistake(format!(
            "DENIED_ISSUED_BEFORE = {text:?} must be a time in UTC such as 2026-11-25T20:00:00Z, or seconds since 1970"
        ));
        0
    })
}

/// `ISSUER` with `RESOURCE` and `AUDIENCE`, then those of `MORE_ISSUERS`.
fn issuers(reader: &mut Reader<impl Fn(&str) -> Option<String>>, resource: Option<&Resource>) -> Vec<TrustedIssuer> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Further {
        issuer: String,
        audience: Vec<String>,
    }

    let mut issuers = Vec::new();
    if reader.text("ISSUER").is_none() {
        reader.mistake(
            "ISSUER is not set: give the issuer exactly as the provider's discovery document says it, for example \
             https://your-tenant.logto.app/oidc"
                .to_owned(),
        );
    } else if let Some(issuer) = reader.url("ISSUER") {
        let audiences = resource.map(|resource| resource.url.clone()).into_iter().chain(reader.words("AUDIENCE"));
        issuers.push(TrustedIssuer { issuer, audiences: audiences.collect() });
    }
    let further = reader.text("MORE_ISSUERS").unwrap_or_else(|| "[]".to_owned());
    match serde_json::from_str::<Vec<Further>>(&further) {
        Err(error) => reader.mistake(format!(
            "MORE_ISSUERS must be a list of {{ issuer = \"https://…\", audience = [\"…\"] }}: {error}"
        )),
        Ok(further) => {
            for Further { issuer, audience } in further {
                if let Err(problem) = check_url(&issuer) {
                    reader.mistake(format!("MORE_ISSUERS: {issuer:?} {problem}"));
                } else if audience.is_empty() || audience.iter().any(String::is_empty) {
                    reader.mistake(format!("MORE_ISSUERS: {issuer:?} needs at least one audience, and no empty one"));
                } else if issuers.iter().any(|known| known.issuer == issuer) {
                    reader.mistake(format!("MORE_ISSUERS: {issuer:?} is named twice"));
                } else {
                    issuers.push(TrustedIssuer { issuer, audiences: audience });
                }
            }
        }
    }
    if issuers.len() > MAX_ISSUERS {
        reader.mistake(format!("MORE_ISSUERS: at most {MAX_ISSUERS} issuers in all"));
    }
    issuers
}

/// `typ` values in lower case; `none` stands for an absent `typ`.
fn token_types(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Vec<String> {
    let set = reader.words("TOKEN_TYPES");
    if set.is_empty() {
        return ACCESS_TOKEN_TYPES.map(str::to_owned).to_vec();
    }
    let types: Vec<_> =
        set.into_iter().map(|word| if word == "none" { String::new() } else { word.to_ascii_lowercase() }).collect();
    if let Some(other) = types.iter().find(|typ| !POSSIBLE_TYPES.contains(&typ.as_str())) {
        reader.mistake(format!(
            "TOKEN_TYPES: {other:?} is not the type of an access token: use at+jwt, jwt, or none for tokens without typ"
        ));
    }
    types
}

fn scopes(reader: &mut Reader<impl Fn(&str) -> Option<String>>, name: &str) -> Scopes {
    let words = reader.words(name);
    if let Some(bad) = words.iter().find(|word| !is_scope_token(word)) {
        reader.mistake(format!(
            "{name}: {bad:?} is not a scope (RFC 6749 allows visible ASCII without quote and backslash)"
        ));
    }
    words.iter().map(String::as_str).collect()
}

/// Entries `scope=implied,implied`, separated by spaces.
fn hierarchy(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Hierarchy {
    let mut hierarchy = Hierarchy::default();
    for entry in reader.words("SCOPE_HIERARCHY") {
        let names = entry.split_once('=').map(|(scope, implied)| (scope, implied.split(',').collect::<Vec<_>>()));
        match names {
            Some((scope, implied)) if is_scope_token(scope) && implied.iter().all(|name| is_scope_token(name)) => {
                hierarchy.imply(scope, &implied.into_iter().collect());
            }
            _ => reader.mistake(format!("SCOPE_HIERARCHY: {entry:?} must have the form scope=implied,implied")),
        }
    }
    hierarchy
}

fn page(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> PageSettings {
    let color = reader.text("PAGE_COLOR").map(|text| (Color::parse(&text), text));
    if let Some((None, text)) = &color {
        reader.mistake(format!(
            "PAGE_COLOR = {text:?} must be a colour such as {}: a hash and six digits",
            Color::DEFAULT
        ));
    }
    PageSettings {
        shown: reader.flag("PAGE", true),
        color: color.and_then(|(color, _)| color).unwrap_or(Color::DEFAULT),
        playground_client_id: reader.text("PLAYGROUND_CLIENT_ID"),
        developer_portal: reader.url("DEVELOPER_PORTAL"),
    }
}

fn opaque(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<OpaquePolicy> {
    let clients = reader.text("OPAQUE_TOKEN_CLIENTS")?;
    let clients =
        if clients == "*" { AcceptedClients::Any } else { AcceptedClients::Listed(ClientList::parse(&clients)) };
    let check = reader.text("OPAQUE_TOKEN_CHECK");
    let client_secret = reader.text("INTROSPECTION_CLIENT_SECRET").map(Secret::new);
    let credentials = reader.text("INTROSPECTION_CLIENT_ID").zip(client_secret);
    let method = match (check.as_deref().unwrap_or("introspection"), credentials) {
        ("introspection", Some((client_id, client_secret))) => Some(Method::Introspection { client_id, client_secret }),
        ("introspection", None) => {
            reader.mistake(
                "OPAQUE_TOKEN_CLIENTS needs the secrets INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET: set \
                 them with `wrangler secret put`"
                    .to_owned(),
            );
            None
        }
        ("userinfo", _) if clients == AcceptedClients::Any => Some(Method::Userinfo),
        ("userinfo", _) => {
            reader.mistake(
                "OPAQUE_TOKEN_CHECK = \"userinfo\" cannot tell whose token it is: it needs OPAQUE_TOKEN_CLIENTS = \"*\", \
                 which accepts the tokens of any client of the tenant"
                    .to_owned(),
            );
            None
        }
        (other, _) => {
            reader.mistake(format!("OPAQUE_TOKEN_CHECK = {other:?} must be \"introspection\" or \"userinfo\""));
            None
        }
    };
    let positive_ttl_seconds = match reader.text("OPAQUE_TOKEN_SECONDS").map(|text| text.parse::<u64>()) {
        None => OPAQUE_SECONDS,
        Some(Ok(seconds)) if seconds <= MAX_OPAQUE_SECONDS => seconds,
        Some(_) => {
            reader
                .mistake(format!("OPAQUE_TOKEN_SECONDS must be a whole number of seconds up to {MAX_OPAQUE_SECONDS}"));
            OPAQUE_SECONDS
        }
    };
    Some(OpaquePolicy { clients, method: method?, positive_ttl_seconds, negative_ttl_seconds: OPAQUE_NEGATIVE_SECONDS })
}

fn origins(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Origins {
    let words = reader.words("ALLOWED_ORIGINS");
    if words == ["*"] {
        return Origins::Any;
    }
    for word in &words {
        let is_origin = word.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "https" | "http") && !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*'])
        });
        if !is_origin || *word != word.to_ascii_lowercase() {
            reader.mistake(format!(
                "ALLOWED_ORIGINS: {word:?} must be an origin such as https://app.example.com (lower case, no path, no \
                 slash at the end), or the whole setting \"*\""
            ));
        }
    }
    Origins::Listed(words)
}

fn log_level(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> LogLevel {
    match reader.text("LOG").as_deref() {
        None | Some("all") => LogLevel::All,
        Some("denials") => LogLevel::Denials,
        Some("off") => LogLevel::Off,
        Some(other) => {
            reader.mistake(format!("LOG = {other:?} must be \"all\", \"denials\" or \"off\""));
            LogLevel::All
        }
    }
}

fn state_secret(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<Secret> {
    let secret = reader.text("STATE_SECRET")?;
    if secret.len() < 32 {
        reader.mistake(
            "STATE_SECRET must have at least 32 characters, for example from `openssl rand -base64 32`".to_owned(),
        );
    }
    Some(Secret::new(secret))
}

fn registry_entry(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<RegistryEntry> {
    let name = reader.text("REGISTRY_NAME")?;
    let (title, description) = (reader.text("RESOURCE_NAME"), reader.text("RESOURCE_DESCRIPTION"));
    let version = reader.text("REGISTRY_VERSION");
    if description.is_none() {
        reader.mistake(
            "REGISTRY_NAME needs RESOURCE_DESCRIPTION: the registry lists no server without saying what it is for"
                .to_owned(),
        );
    }
    for (setting, text) in [("RESOURCE_NAME", &title), ("RESOURCE_DESCRIPTION", &description)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > registry::MAX_TEXT_CHARACTERS) {
            reader.mistake(format!(
                "{setting} must have at most {} characters to be listed under REGISTRY_NAME",
                registry::MAX_TEXT_CHARACTERS
            ));
        }
    }
    if let Some(version) = version.as_ref().filter(|version| !registry::is_version(version)) {
        reader.mistake(format!("REGISTRY_VERSION = {version:?} must be one version such as 1.0.0, no range"));
    }
    let parsed = ServerName::parse(&name);
    if parsed.is_none() {
        reader.mistake(format!(
            "REGISTRY_NAME = {name:?} must be your domain backwards, a slash, and a name (letters, digits, `.`, `_` and \
             `-`), for example com.example/whoami"
        ));
    }
    Some(RegistryEntry { name: parsed?, description: description?, version })
}

fn registry_proof(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<String> {
    let proof = reader.text("REGISTRY_AUTH")?;
    if !registry::is_proof(&proof) {
        // Not repeated: it may be the private key.
        reader.mistake(
            "REGISTRY_AUTH must be \"v=MCPv1; k=ed25519; p=…\" with the public key (32 bytes) in base64, or \
             \"v=MCPv1; k=ecdsap384; p=…\" with the compressed one (49 bytes)"
                .to_owned(),
        );
    }
    Some(proof)
}

fn server_card(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> bool {
    let wanted = reader.flag("SERVER_CARD", false);
    if wanted && reader.text("REGISTRY_NAME").is_none() {
        reader.mistake("SERVER_CARD needs REGISTRY_NAME: a card says the server's name in the world".to_owned());
    }
    wanted
}

fn mirror(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<Mirror> {
    let wanted = reader.flag("AUTHORIZATION_SERVER_MIRROR", false);
    let registration_endpoint = reader.url("REGISTRATION_ENDPOINT");
    if registration_endpoint.is_some() && !wanted {
        reader.mistake(
            "REGISTRATION_ENDPOINT needs AUTHORIZATION_SERVER_MIRROR = \"true\": it is shown in the mirror and nowhere else"
                .to_owned(),
        );
    }
    wanted.then_some(Mirror { registration_endpoint })
}

/// Why a URL parser would change the URL, if it would.
fn not_normalized(url: &str) -> Option<&'static str> {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let (authority, path) = url[after_scheme..].split_once('/').unwrap_or((&url[after_scheme..], ""));
    let is_default_port = (url.starts_with("https:") && authority.ends_with(":443"))
        || (url.starts_with("http:") && authority.ends_with(":80"));
    match () {
        () if authority.bytes().any(|byte| byte.is_ascii_uppercase()) => Some("must have its host in lower case"),
        () if is_default_port => Some("must not name the default port"),
        () if path.split('/').any(|segment| segment == "." || segment == "..") => Some("must not have dot segments"),
        () => None,
    }
}

/// What may stand in a header, in metadata and in a store's key: an https URL (or plain http on loopback) of visible
/// ASCII, without query, fragment and user information.
fn check_url(url: &str) -> Result<(), String> {
    let mut problem = String::new();
    if !is_https_or_loopback(url) {
        let _ = write!(
            problem,
            "must begin with https:// (plain http is accepted for localhost, 127.0.0.1 and [::1] only)"
        );
    } else if url.contains(['?', '#']) {
        let _ = write!(problem, "must have neither query nor fragment");
    } else if !url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>')) {
        let _ = write!(problem, "must consist of visible ASCII without quotes and backslashes");
    } else if url.len() > MAX_URL_BYTES {
        let _ = write!(problem, "is longer than {MAX_URL_BYTES} characters");
    } else if !has_plain_authority(url) {
        let _ = write!(problem, "must have a host name or address and, if any, a port between 1 and 65535");
    } else {
        return Ok(());
    }
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least that works, and then some settings changed or added.
    fn parse(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let minimal = [("ISSUER", "https://tenant.logto.app/oidc"), ("RESOURCE", "https://mcp.example.com/mcp")];
        let find = |list: &[(&str, &str)], name: &str| {
            list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::parse(|name| find(changes, name).or_else(|| find(&minimal, name)))
    }

    /// The only mistake.
    fn mistake(changes: &[(&str, &str)]) -> String {
        let SettingsError(mistakes) = parse(changes).expect_err("a mistake");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        mistakes.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn two_settings_are_enough() {
        let settings = parse(&[]).unwrap();
        assert_eq!(settings.resource.origin, "https://mcp.example.com");
        assert_eq!(settings.resource.path, "/mcp");
        assert_eq!(
            settings.resource.metadata_url(),
            "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
        );
        let [trusted] = settings.trust.issuers.as_slice() else { panic!("one issuer") };
        assert_eq!(trusted.issuer, "https://tenant.logto.app/oidc");
        assert_eq!(trusted.audiences, ["https://mcp.example.com/mcp"]);
        assert_eq!(settings.trust.token_types, ["at+jwt", "application/at+jwt"]);
        assert!(settings.trust.required_scopes.is_empty() && settings.trust.opaque.is_none());
        assert_eq!(settings.origins, Origins::Listed(Vec::new()));
        assert_eq!((settings.log, settings.log_subject, settings.development), (LogLevel::All, true, false));
        assert_eq!(settings.state_secret, None);
        assert!(settings.registry_entry.is_none() && settings.registry_proof.is_none() && !settings.server_card);
        assert_eq!(settings.mirror, None);
        assert!(settings.page.shown && !settings.page.has_playground());
    }

    #[test]
    fn the_page_can_be_turned_off_and_its_playground_with_it() {
        let settings = parse(&[("PLAYGROUND_CLIENT_ID", "playground"), ("PAGE_COLOR", "#663399")]).unwrap();
        assert!(settings.page.has_playground());
        assert_eq!(settings.page.color.to_string(), "#663399");
        assert!(!parse(&[("PLAYGROUND_CLIENT_ID", "playground"), ("PAGE", "false")]).unwrap().page.has_playground());
    }

    #[test]
    fn an_empty_setting_is_one_that_is_not_set() {
        let empty: Vec<_> = [
            "AUDIENCE",
            "REQUIRED_SCOPES",
            "CLAIM_SCOPES",
            "ALLOWED_ORIGINS",
            "ALLOWED_CLIENTS",
            "DENIED_CLIENTS",
            "DENIED_KEYS",
            "DENIED_ISSUED_BEFORE",
            "FIRST_PARTY_CLIENTS",
            "SCOPE_HIERARCHY",
            "TOKEN_TYPES",
            "OPAQUE_TOKEN_CLIENTS",
            "OPAQUE_TOKEN_CHECK",
            "OPAQUE_TOKEN_SECONDS",
            "MORE_ISSUERS",
            "RESOURCE_NAME",
            "RESOURCE_DOCUMENTATION",
            "RESOURCE_POLICY_URI",
            "RESOURCE_TOS_URI",
            "RESOURCE_DESCRIPTION",
            "LOGO",
            "REGISTRY_NAME",
            "REGISTRY_VERSION",
            "REGISTRY_AUTH",
            "SERVER_CARD",
            "AUTHORIZATION_SERVER_MIRROR",
            "REGISTRATION_ENDPOINT",
            "PAGE",
            "PAGE_COLOR",
            "PLAYGROUND_CLIENT_ID",
            "DEVELOPER_PORTAL",
            "LOG",
            "LOG_SUBJECT",
            "STATE_SECRET",
            "ENVIRONMENT",
        ]
        .map(|name| (name, " "))
        .to_vec();
        assert_eq!(format!("{:?}", parse(&empty).unwrap()), format!("{:?}", parse(&[]).unwrap()));
    }

    #[test]
    fn keys_and_times_can_be_denied() {
        let settings = parse(&[("DENIED_KEYS", "k 9a-Z"), ("DENIED_ISSUED_BEFORE", "2026-11-25T20:00:00Z")]).unwrap();
        assert_eq!(
            settings.trust.denied,
            DeniedTokens { keys: vec!["k".to_owned(), "9a-Z".to_owned()], issued_before: 1_795_636_800 }
        );
        assert_eq!(parse(&[("DENIED_ISSUED_BEFORE", "1795636800")]).unwrap().trust.denied.issued_before, 1_795_636_800);
        for list in ["k1, k2", "k1,k2", r#"["k1","k2"]"#] {
            assert!(mistake(&[("DENIED_KEYS", list)]).contains("separate several by spaces"), "{list}");
        }
        assert!(mistake(&[("DENIED_ISSUED_BEFORE", "1795636800000")]).contains("2026-11-25T20:00:00Z"));
    }

    #[test]
    fn everything_that_can_be_said() {
        let settings = parse(&[
            ("AUDIENCE", "https://mcp.example.com/mcp/ api://mcp"),
            ("MORE_ISSUERS", r#"[{"issuer":"https://partner.example","audience":["x","y"]}]"#),
            ("REQUIRED_SCOPES", "b a"),
            ("SCOPE_HIERARCHY", "admin=a,b a=c"),
            ("CLAIM_SCOPES", "a=plan"),
            ("ALLOWED_CLIENTS", "one agents.example"),
            ("DENIED_CLIENTS", "two"),
            ("FIRST_PARTY_CLIENTS", "one"),
            ("TOKEN_TYPES", "at+jwt JWT none"),
            ("OPAQUE_TOKEN_CLIENTS", "one"),
            ("OPAQUE_TOKEN_SECONDS", "600"),
            ("INTROSPECTION_CLIENT_ID", "us"),
            ("INTROSPECTION_CLIENT_SECRET", "s3cret"),
            ("ALLOWED_ORIGINS", "https://app.example.com http://localhost:6274"),
            ("LOG", "denials"),
            ("LOG_SUBJECT", "false"),
            ("ENVIRONMENT", "development"),
            ("STATE_SECRET", "0123456789012345678901234567890123"),
            ("RESOURCE_DESCRIPTION", "Shows the signed-in identity."),
            ("LOGO", "https://example.com/logo.png"),
            ("REGISTRY_NAME", "com.example/whoami"),
            ("REGISTRY_VERSION", "1.2.3"),
            ("REGISTRY_AUTH", "v=MCPv1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
            ("SERVER_CARD", "true"),
            ("AUTHORIZATION_SERVER_MIRROR", "true"),
            ("REGISTRATION_ENDPOINT", "https://register.example.com/"),
        ])
        .unwrap();
        let [own, partner] = settings.trust.issuers.as_slice() else { panic!("two issuers") };
        assert_eq!(own.audiences, ["https://mcp.example.com/mcp", "https://mcp.example.com/mcp/", "api://mcp"]);
        assert_eq!(partner.audiences, ["x", "y"]);
        assert_eq!(settings.trust.required_scopes.to_string(), "a b");
        assert_eq!(settings.trust.hierarchy.expand(Scopes::parse("admin")).to_string(), "a admin b c");
        assert_eq!(settings.trust.token_types, ["at+jwt", "jwt", ""]);
        assert!(settings.trust.disclosure.covers_anything(&Scopes::parse("a")));
        assert_eq!(settings.trust.clients.check(Some("https://agents.example/x")), Ok(()));
        assert!(settings.trust.clients.check(Some("two")).is_err());
        let opaque = settings.trust.opaque.unwrap();
        assert_eq!((opaque.positive_ttl_seconds, opaque.negative_ttl_seconds), (600, OPAQUE_NEGATIVE_SECONDS));
        assert_eq!(
            opaque.method,
            Method::Introspection { client_id: "us".to_owned(), client_secret: Secret::new("s3cret") }
        );
        assert_eq!((settings.log, settings.log_subject, settings.development), (LogLevel::Denials, false, true));
        let entry = settings.registry_entry.unwrap();
        assert_eq!((entry.name.as_str(), entry.version.as_deref()), ("com.example/whoami", Some("1.2.3")));
        assert_eq!(entry.description, "Shows the signed-in identity.");
        assert_eq!(settings.logo.as_deref(), Some("https://example.com/logo.png"));
        assert!(settings.server_card && settings.registry_proof.is_some_and(|proof| proof.starts_with("v=MCPv1")));
        let registration_endpoint = Some("https://register.example.com/".to_owned());
        assert_eq!(settings.mirror, Some(Mirror { registration_endpoint }));
    }

    #[test]
    fn any_origin_and_any_client_are_a_star() {
        assert_eq!(parse(&[("ALLOWED_ORIGINS", "*")]).unwrap().origins, Origins::Any);
        let userinfo = [("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "userinfo")];
        let opaque = parse(&userinfo).unwrap().trust.opaque.unwrap();
        assert_eq!((opaque.clients, opaque.method), (AcceptedClients::Any, Method::Userinfo));
        assert_eq!(opaque.positive_ttl_seconds, OPAQUE_SECONDS);
    }

    #[test]
    fn development_may_use_plain_http_on_this_machine() {
        let local = [("ISSUER", "http://localhost:3001/oidc"), ("RESOURCE", "http://127.0.0.1:8787/mcp")];
        assert_eq!(parse(&local).unwrap().resource.origin, "http://127.0.0.1:8787");
    }

    #[test]
    fn every_mistake_says_how_to_mend_it() {
        let secrets = [("INTROSPECTION_CLIENT_ID", "us"), ("INTROSPECTION_CLIENT_SECRET", "s3cret")];
        let listed = ("REGISTRY_NAME", "com.example/whoami");
        let described = ("RESOURCE_DESCRIPTION", "Shows the signed-in identity.");
        let long = "ä".repeat(registry::MAX_TEXT_CHARACTERS + 1);
        for (changes, setting, mend) in [
            (vec![("ISSUER", "")], "ISSUER", "https://your-tenant.logto.app/oidc"),
            (vec![("ISSUER", "tenant.logto.app")], "ISSUER", "must begin with https://"),
            (vec![("ISSUER", "http://tenant.logto.app/oidc")], "ISSUER", "must begin with https://"),
            (vec![("ISSUER", "https://tenant.logto.app/oidc?x")], "ISSUER", "neither query nor fragment"),
            (vec![("ISSUER", "https://tenant.logto.app/o\"dc")], "ISSUER", "without quotes"),
            (vec![("ISSUER", "https://tenänt.example/oidc")], "ISSUER", "visible ASCII"),
            (vec![("RESOURCE", "")], "RESOURCE", "https://mcp.example.com/mcp"),
            (vec![("RESOURCE", "https://mcp.example.com")], "RESOURCE", "https://mcp.example.com/mcp"),
            (vec![("RESOURCE", "https://mcp.example.com/")], "RESOURCE", "must have a path"),
            (vec![("RESOURCE", "https://mcp.example.com/.well-known/mcp")], "RESOURCE", "must have a path"),
            (vec![("RESOURCE", "https://mcp.example.com/mcp#x")], "RESOURCE", "neither query nor fragment"),
            (vec![("RESOURCE", "ftp://mcp.example.com/mcp")], "RESOURCE", "must begin with https://"),
            (vec![("REQUIRED_SCOPES", "a \"b\"")], "REQUIRED_SCOPES", "is not a scope"),
            (vec![("SCOPE_HIERARCHY", "admin")], "SCOPE_HIERARCHY", "scope=implied,implied"),
            (vec![("SCOPE_HIERARCHY", "admin=a,,b")], "SCOPE_HIERARCHY", "scope=implied,implied"),
            (vec![("CLAIM_SCOPES", "whoami:read")], "CLAIM_SCOPES", "scope=claim,claim"),
            (vec![("TOKEN_TYPES", "at+jwt logout+jwt")], "TOKEN_TYPES", "use at+jwt, jwt, or none"),
            (vec![("TOKEN_TYPES", "secevent+jwt")], "TOKEN_TYPES", "use at+jwt, jwt, or none"),
            (vec![("ALLOWED_ORIGINS", "https://app.example.com/")], "ALLOWED_ORIGINS", "no slash at the end"),
            (vec![("ALLOWED_ORIGINS", "https://App.example.com")], "ALLOWED_ORIGINS", "lower case"),
            (vec![("ALLOWED_ORIGINS", "* https://app.example.com")], "ALLOWED_ORIGINS", "the whole setting"),
            (vec![("ALLOWED_ORIGINS", "app.example.com")], "ALLOWED_ORIGINS", "https://app.example.com"),
            (vec![("MORE_ISSUERS", "https://x")], "MORE_ISSUERS", "must be a list of"),
            (
                vec![("MORE_ISSUERS", r#"[{"issuer":"https://x","audience":[]}]"#)],
                "MORE_ISSUERS",
                "at least one audience",
            ),
            (
                vec![("MORE_ISSUERS", r#"[{"issuer":"https://x","audience":["a"],"y":1}]"#)],
                "MORE_ISSUERS",
                "unknown field",
            ),
            (
                vec![("MORE_ISSUERS", r#"[{"issuer":"http://x","audience":["a"]}]"#)],
                "MORE_ISSUERS",
                "must begin with https://",
            ),
            (
                vec![("MORE_ISSUERS", r#"[{"issuer":"https://tenant.logto.app/oidc","audience":["a"]}]"#)],
                "MORE_ISSUERS",
                "named twice",
            ),
            (vec![("OPAQUE_TOKEN_CLIENTS", "one")], "OPAQUE_TOKEN_CLIENTS", "wrangler secret put"),
            (vec![("OPAQUE_TOKEN_CLIENTS", "one"), secrets[0]], "OPAQUE_TOKEN_CLIENTS", "INTROSPECTION_CLIENT_SECRET"),
            (
                vec![("OPAQUE_TOKEN_CLIENTS", "one"), ("OPAQUE_TOKEN_CHECK", "userinfo")],
                "OPAQUE_TOKEN_CHECK",
                "OPAQUE_TOKEN_CLIENTS = \"*\"",
            ),
            (
                vec![("OPAQUE_TOKEN_CLIENTS", "*"), ("OPAQUE_TOKEN_CHECK", "jwt")],
                "OPAQUE_TOKEN_CHECK",
                "\"introspection\" or \"userinfo\"",
            ),
            (
                vec![("OPAQUE_TOKEN_CLIENTS", "*"), secrets[0], secrets[1], ("OPAQUE_TOKEN_SECONDS", "601")],
                "OPAQUE_TOKEN_SECONDS",
                "up to 600",
            ),
            (
                vec![("OPAQUE_TOKEN_CLIENTS", "*"), secrets[0], secrets[1], ("OPAQUE_TOKEN_SECONDS", "-1")],
                "OPAQUE_TOKEN_SECONDS",
                "whole number",
            ),
            (vec![("RESOURCE_POLICY_URI", "example.com")], "RESOURCE_POLICY_URI", "must begin with https://"),
            (vec![("PAGE", "off")], "PAGE", "\"true\" or \"false\""),
            (vec![("PAGE_COLOR", "green")], "PAGE_COLOR", "#1f6b4a"),
            (vec![("LOG", "none")], "LOG", "\"all\", \"denials\" or \"off\""),
            (vec![("LOG_SUBJECT", "no")], "LOG_SUBJECT", "\"true\" or \"false\""),
            (vec![("STATE_SECRET", "short")], "STATE_SECRET", "openssl rand -base64 32"),
            (vec![("REGISTRY_NAME", "com.example/whoami")], "REGISTRY_NAME", "needs RESOURCE_DESCRIPTION"),
            (vec![("REGISTRY_NAME", "whoami"), described], "REGISTRY_NAME", "com.example/whoami"),
            (vec![listed, described, ("REGISTRY_VERSION", "^1.0")], "REGISTRY_VERSION", "1.0.0"),
            (vec![listed, ("RESOURCE_DESCRIPTION", &long)], "RESOURCE_DESCRIPTION", "at most 100 characters"),
            (vec![listed, described, ("RESOURCE_NAME", &long)], "RESOURCE_NAME", "at most 100 characters"),
            (vec![("REGISTRY_AUTH", "v=MCPv1; k=ed25519; p=c2hvcnQ=")], "REGISTRY_AUTH", "32 bytes"),
            (vec![("SERVER_CARD", "true")], "SERVER_CARD", "needs REGISTRY_NAME"),
            (vec![("SERVER_CARD", "yes")], "SERVER_CARD", "\"true\" or \"false\""),
            (vec![("LOGO", "logo.png")], "LOGO", "must begin with https://"),
            (
                vec![("REGISTRATION_ENDPOINT", "https://register.example.com/")],
                "REGISTRATION_ENDPOINT",
                "AUTHORIZATION_SERVER_MIRROR",
            ),
        ] {
            let mistake = mistake(&changes);
            assert!(mistake.starts_with(setting), "{mistake}");
            assert!(mistake.contains(mend), "{mistake}");
        }
    }

    #[test]
    fn what_stands_in_a_policy_is_a_host() {
        // The issuer's origin is part of the page's Content-Security-Policy.
        for issuer in
            ["https://tenant.example;x/oidc", "https://tenant.example,x/oidc", "https://tenant.example:x/oidc"]
        {
            let error = mistake(&[("ISSUER", issuer)]);
            assert!(error.contains("must have a host name or address"), "{error}");
        }
    }

    #[test]
    fn long_urls_and_long_lists_are_refused() {
        let long = format!("https://tenant.example/{}", "x".repeat(MAX_URL_BYTES));
        assert!(mistake(&[("ISSUER", &long)]).contains("is longer than"));
        let issuer = |number| format!(r#"{{"issuer":"https://{number}.example","audience":["a"]}}"#);
        let list = |count| format!("[{}]", (0..count).map(issuer).collect::<Vec<_>>().join(","));
        assert!(parse(&[("MORE_ISSUERS", &list(MAX_ISSUERS - 1))]).is_ok());
        assert!(mistake(&[("MORE_ISSUERS", &list(MAX_ISSUERS))]).contains("at most"));
    }

    #[test]
    fn all_mistakes_are_found_at_once_and_no_secret_is_shown() {
        let error = parse(&[
            ("ISSUER", ""),
            ("RESOURCE", "mcp"),
            ("LOG", "loud"),
            ("ALLOWED_ORIGINS", "nowhere"),
            ("STATE_SECRET", "hunter2"),
            ("OPAQUE_TOKEN_CLIENTS", "*"),
            ("OPAQUE_TOKEN_CHECK", "guess"),
            ("INTROSPECTION_CLIENT_ID", "us"),
            ("INTROSPECTION_CLIENT_SECRET", "hunter3"),
        ])
        .unwrap_err();
        assert_eq!(error.0.len(), 6, "{error}");
        let text = error.to_string();
        assert!(text.starts_with("the settings are wrong, no request will be let through:\n- RESOURCE"), "{text}");
        assert!(!text.contains("hunter"), "{text}");
    }

    #[test]
    fn the_debug_form_hides_the_introspection_secret() {
        let opaque = [
            ("OPAQUE_TOKEN_CLIENTS", "*"),
            ("INTROSPECTION_CLIENT_ID", "us"),
            ("INTROSPECTION_CLIENT_SECRET", "hunter2"),
        ];
        assert!(!format!("{:?}", parse(&opaque).unwrap()).contains("hunter2"));
    }

    #[test]
    fn the_debug_form_hides_the_state_secret() {
        let settings = parse(&[("STATE_SECRET", "hunter2 hunter2 hunter2 hunter2 hunter2")]).unwrap();
        assert!(settings.state_secret.is_some() && !format!("{settings:?}").contains("hunter2"));
    }
}
