//! Settings: named strings in, a checked [`Settings`] out. Every mistake says how to mend it, and all are found at once.
//!
//! Where the strings come from is the caller's business (at the edge: `[vars]` of `wrangler.toml` and secrets). The
//! names and their meaning are documented there and in the README.

use std::fmt::Write;

use serde::Deserialize;

use crate::oauth::{
    access::{
        client::{ClientList, ClientPolicy},
        disclosure::Disclosure,
        scope::{Hierarchy, Scopes, is_scope_token},
    },
    protected_resource::WELL_KNOWN,
    provider::is_https_or_loopback,
    resource_server::{TrustPolicy, TrustedIssuer},
    token::{
        jwt::ACCESS_TOKEN_TYPES,
        opaque::{AcceptedClients, Method, OpaquePolicy},
    },
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
    /// Which requests are logged.
    pub log: LogLevel,
    /// Whether the log names the user (`sub`).
    pub log_subject: bool,
    /// Whether answers carry `Server-Timing`.
    pub development: bool,
    /// Seals what tools that ask back hand to the client; at least 32 characters.
    pub state_secret: Option<String>,
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
    }
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
    set.into_iter().map(|word| if word == "none" { String::new() } else { word.to_ascii_lowercase() }).collect()
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

fn opaque(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<OpaquePolicy> {
    let clients = reader.text("OPAQUE_TOKEN_CLIENTS")?;
    let clients =
        if clients == "*" { AcceptedClients::Any } else { AcceptedClients::Listed(ClientList::parse(&clients)) };
    let check = reader.text("OPAQUE_TOKEN_CHECK");
    let credentials = reader.text("INTROSPECTION_CLIENT_ID").zip(reader.text("INTROSPECTION_CLIENT_SECRET"));
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

fn state_secret(reader: &mut Reader<impl Fn(&str) -> Option<String>>) -> Option<String> {
    let secret = reader.text("STATE_SECRET")?;
    if secret.len() < 32 {
        reader.mistake(
            "STATE_SECRET must have at least 32 characters, for example from `openssl rand -base64 32`".to_owned(),
        );
    }
    Some(secret)
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
            Method::Introspection { client_id: "us".to_owned(), client_secret: "s3cret".to_owned() }
        );
        assert_eq!((settings.log, settings.log_subject, settings.development), (LogLevel::Denials, false, true));
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
            (vec![("LOG", "none")], "LOG", "\"all\", \"denials\" or \"off\""),
            (vec![("LOG_SUBJECT", "no")], "LOG_SUBJECT", "\"true\" or \"false\""),
            (vec![("STATE_SECRET", "short")], "STATE_SECRET", "openssl rand -base64 32"),
        ] {
            let mistake = mistake(&changes);
            assert!(mistake.starts_with(setting), "{mistake}");
            assert!(mistake.contains(mend), "{mistake}");
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
}
