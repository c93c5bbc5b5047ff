//! The settings of a gateway. All errors are reported together, each with its fix.
//!
//! Their names and meaning are documented in `wrangler.toml` and `docs/gateway.md`. Settings of a gateway without `UPSTREAM`
//! are an error: the operator believes that they protect something.

use std::time::Duration;

use mcp_edge_connections::name::is_connection_name;
use mcp_edge_runtime::{
    http::is_sendable_header,
    settings::{Reader, check_url, not_normalized},
    uri::is_https_or_loopback,
};
use serde_json::Value;

use crate::{
    access::Policy,
    credentials::{
        AssertionSettings, ConnectionSettings, Credentials,
        signing_key::{PrivateKey, PublicKey, jwks},
    },
    pins::Pins,
    session::SessionSeal,
};

/// The name of the setting, and of the binding that may be in its place.
pub const UPSTREAM: &str = "UPSTREAM";

/// What is requested through a binding unless `UPSTREAM_URL` says otherwise.
const DEFAULT_BINDING_URL: &str = "https://upstream.internal/mcp";

/// The settings that have no meaning without `UPSTREAM`. Secrets are none of them: they are put before the deployment that
/// uses them, and deleted after the one that does not.
const OF_GATEWAYS: [&str; 13] = [
    "UPSTREAM_URL",
    "UPSTREAM_AUTH",
    PUBLIC_KEYS,
    AUDIENCE,
    SECRET_HEADER,
    CONNECTION,
    SECONDS,
    "TOOL_SCOPES",
    "PROMPT_SCOPES",
    "RESOURCE_SCOPES",
    "TASK_SCOPES",
    "LIST_TOOLS",
    "TOOL_PINS",
];

const AUTH: &str = "UPSTREAM_AUTH";
const SIGNING_KEY: &str = "UPSTREAM_SIGNING_KEY";
const PUBLIC_KEYS: &str = "UPSTREAM_PUBLIC_KEYS";
const AUDIENCE: &str = "UPSTREAM_AUDIENCE";
const SECRET: &str = "UPSTREAM_SECRET";
const SECRET_HEADER: &str = "UPSTREAM_SECRET_HEADER";
const CONNECTION: &str = "UPSTREAM_CONNECTION";
const SECONDS: &str = "UPSTREAM_SECONDS";

/// Whether there are connections. The compiler drops what is behind this if the feature is off.
pub(crate) const HAS_CONNECTIONS: bool = cfg!(any(test, feature = "connections"));

/// Headers that no secret can be in: what the gateway or the connection sets. So are all that begin with `mcp-`, `sec-`
/// and `proxy-`.
const RESERVED_HEADERS: [&str; 17] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the settings of a gateway depend on.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// `RESOURCE`.
    pub resource: &'a str,
    /// Scheme, host and port of it.
    pub origin: &'a str,
    /// `ISSUER`.
    pub issuer: &'a str,
    /// Whether requests can be sent to a binding named [`UPSTREAM`].
    pub is_bound: bool,
    /// Whether the vault can be called, which has the tokens of connected accounts.
    pub has_vault: bool,
}

/// The settings of a gateway. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// The server behind the gateway.
    pub upstream: UpstreamSettings,
    /// Who may use what.
    pub policy: Policy,
    /// The definitions of tools that the operator has approved, if only these are offered.
    pub pins: Option<Pins>,
    /// The keys that are published, if assertions are signed: the document (RFC 7517 §5).
    pub jwks: Option<String>,
    /// Seals the upstream's session ids.
    pub session: SessionSeal,
    /// A secret that is set and not used.
    unused_secret: Option<&'static str>,
}

/// The settings of one upstream.
#[derive(Debug, Clone)]
pub struct UpstreamSettings {
    /// The URL of its MCP endpoint.
    pub url: String,
    /// The binding through which it is reached, if it is not the internet.
    pub binding: Option<&'static str>,
    /// What it is shown.
    pub credentials: Credentials,
    /// Until the head of a response must have arrived.
    pub timeout: Duration,
}

impl GatewaySettings {
    /// Reads the settings of a gateway; `None` if there is none, or if there were errors, which `reader` has collected.
    pub fn read(reader: &mut Reader<'_>, surroundings: Surroundings<'_>) -> Option<Self> {
        if !surroundings.is_bound && reader.text(UPSTREAM).is_none() {
            for name in OF_GATEWAYS {
                refuse(reader, name, "needs UPSTREAM: the URL of the MCP server behind this gateway, or a binding");
            }
            return None;
        }
        let url = read_url(reader, surroundings);
        let timeout = read_timeout(reader);
        let state_secret = reader.secret("STATE_SECRET");
        if state_secret.is_none() {
            reader.error(
                "STATE_SECRET is not set: a gateway needs it to seal session ids (`wrangler secret put STATE_SECRET`, with \
                 the output of `openssl rand -base64 32`)",
            );
        }
        let (policy, pins) = (Policy::read(reader), Pins::read(reader));
        let other_secret = if reader.text(AUTH).as_deref() == Some("secret") { SIGNING_KEY } else { SECRET };
        let unused_secret = reader.text(other_secret).map(|_| other_secret);
        // Goes on without a URL, to find the other errors.
        let audience = url.clone().unwrap_or_default();
        let (credentials, jwks) = read_credentials(reader, surroundings, audience)?;
        if let (Credentials::Connection(_), Some(url)) = (&credentials, &url)
            && !is_https_or_loopback(url)
        {
            let problem =
                "must begin with https://: with UPSTREAM_AUTH = \"connection\", tokens of users are sent there";
            reader.wrong_value("UPSTREAM_URL", url, problem);
        }
        let (url, state_secret) = (url?, state_secret?);
        Some(Self {
            policy,
            pins,
            unused_secret,
            session: SessionSeal::new(&state_secret, surroundings.resource, &url),
            upstream: UpstreamSettings {
                url,
                binding: surroundings.is_bound.then_some(UPSTREAM),
                credentials,
                timeout,
            },
            jwks,
        })
    }

    /// Whether tokens of the callers' own accounts are needed.
    #[must_use]
    pub const fn needs_connections(&self) -> bool {
        matches!(self.upstream.credentials, Credentials::Connection(_))
    }

    /// What the operator should know of these settings although no request is refused for it.
    pub fn warnings(&self) -> impl Iterator<Item = &'static str> {
        let UpstreamSettings { url, binding, credentials, .. } = &self.upstream;
        let is_plain = url.starts_with("http:");
        let warning = match credentials {
            // Plain http is of this machine.
            Credentials::None if binding.is_none() && !is_plain => Some(
                "UPSTREAM_AUTH = \"none\": anybody who finds the URL of the upstream can use it without this gateway. Use \
                 \"assertion\", or reach it through a binding",
            ),
            Credentials::Secret { .. } if is_plain => {
                Some("UPSTREAM_SECRET is sent over plain http: everybody on the way can read it. Use https")
            }
            _ => None,
        };
        let unused = match self.unused_secret {
            Some(SECRET) => Some("UPSTREAM_SECRET is set and not used: delete it, or set UPSTREAM_AUTH = \"secret\""),
            Some(_) => {
                Some("UPSTREAM_SIGNING_KEY is set and not used: delete it, or set UPSTREAM_AUTH = \"assertion\"")
            }
            None => None,
        };
        warning.into_iter().chain(unused)
    }
}

fn read_url(reader: &mut Reader<'_>, surroundings: Surroundings<'_>) -> Option<String> {
    let (name, url) = if surroundings.is_bound {
        ("UPSTREAM_URL", reader.text("UPSTREAM_URL").unwrap_or_else(|| DEFAULT_BINDING_URL.to_owned()))
    } else {
        refuse(reader, "UPSTREAM_URL", "is for a binding named UPSTREAM, and UPSTREAM is a URL: remove one of the two");
        (UPSTREAM, reader.text(UPSTREAM)?)
    };
    // Through a binding, no network that others use is in between, and private networks often have no certificates.
    let checked = match url.strip_prefix("http://") {
        Some(rest) if surroundings.is_bound => check_url(&["https://", rest].concat()),
        _ => check_url(&url),
    };
    let same = |url: &str| url.trim_end_matches('/') == surroundings.resource.trim_end_matches('/');
    let problem = match (checked, not_normalized(&url)) {
        (Err(problem), _) => problem,
        (Ok(()), Some(problem)) => problem.to_owned(),
        (Ok(()), None) if !surroundings.is_bound && same(&url) => {
            "is RESOURCE, this endpoint itself: give the URL of the server behind it".to_owned()
        }
        (Ok(()), None) => return Some(url),
    };
    reader.wrong_value(name, &url, &problem);
    None
}

fn read_timeout(reader: &mut Reader<'_>) -> Duration {
    let Some(text) = reader.text(SECONDS) else { return Duration::from_mins(1) };
    let seconds = text.parse().ok().filter(|seconds| (1..=600).contains(seconds));
    if seconds.is_none() {
        reader.wrong_value(SECONDS, &text, "must be a number of seconds from 1 to 600");
    }
    Duration::from_secs(seconds.unwrap_or_default())
}

fn read_credentials(
    reader: &mut Reader<'_>,
    surroundings: Surroundings<'_>,
    default_audience: String,
) -> Option<(Credentials, Option<String>)> {
    let kind = reader.text(AUTH).unwrap_or_else(|| "assertion".to_owned());
    if kind != "assertion" {
        for name in [PUBLIC_KEYS, AUDIENCE] {
            refuse(reader, name, "is for UPSTREAM_AUTH = \"assertion\": remove it, or set that");
        }
    }
    if kind != "secret" {
        refuse(reader, SECRET_HEADER, "is for UPSTREAM_AUTH = \"secret\": remove it, or set that");
    }
    if kind != "connection" {
        refuse(reader, CONNECTION, "is for UPSTREAM_AUTH = \"connection\": remove it, or set that");
    }
    match &*kind {
        "assertion" => read_assertion(reader, surroundings, default_audience),
        "secret" => Some((read_secret(reader)?, None)),
        "connection" if HAS_CONNECTIONS => Some((read_connection(reader, surroundings), None)),
        "connection" => {
            let problem = "needs a Worker that is built with the feature `connections` of mcp-edge";
            reader.wrong_value("UPSTREAM_AUTH", &kind, problem);
            None
        }
        "none" => Some((Credentials::None, None)),
        other => {
            let problem = "must be \"assertion\", \"connection\", \"secret\" or \"none\"";
            reader.wrong_value("UPSTREAM_AUTH", other, problem);
            None
        }
    }
}

fn read_assertion(
    reader: &mut Reader<'_>,
    surroundings: Surroundings<'_>,
    default_audience: String,
) -> Option<(Credentials, Option<String>)> {
    let audience = reader.text(AUDIENCE).unwrap_or(default_audience);
    if !audience.bytes().all(|byte| byte.is_ascii_graphic()) {
        reader.wrong_value(AUDIENCE, &audience, "must be one identifier of visible ASCII without spaces");
    } else if audience == surroundings.resource {
        reader.wrong_value(
            AUDIENCE,
            &audience,
            "is RESOURCE: it must name the upstream, or this endpoint would be meant",
        );
    }
    let key = read_signing_key(reader);
    let mut keys: Vec<PublicKey> = key.iter().map(|key| key.public().clone()).collect();
    read_public_keys(reader, &mut keys);
    let settings = AssertionSettings {
        key: key?,
        audience,
        issuer: surroundings.origin.to_owned(),
        actor: surroundings.resource.to_owned(),
        primary_issuer: surroundings.issuer.to_owned(),
    };
    Some((Credentials::Assertion(Box::new(settings)), Some(jwks(&keys))))
}

fn read_signing_key(reader: &mut Reader<'_>) -> Option<PrivateKey> {
    let Some(jwk) = reader.secret(SIGNING_KEY) else {
        reader.error(
            "UPSTREAM_SIGNING_KEY is not set: assertions for the upstream are signed with it. Make a key with \
             `make gateway-keys` and put it with `wrangler secret put UPSTREAM_SIGNING_KEY`, or choose another UPSTREAM_AUTH",
        );
        return None;
    };
    match PrivateKey::parse(&jwk) {
        Ok(key) => Some(key),
        Err(error) => {
            reader.error(["UPSTREAM_SIGNING_KEY ", &error.to_string()].concat());
            None
        }
    }
}

/// Adds the keys that are published besides the one that signs. That one may be among them: so a rotation changes the secret
/// alone, while both keys stay published.
fn read_public_keys(reader: &mut Reader<'_>, keys: &mut Vec<PublicKey>) {
    let Some(text) = reader.text(PUBLIC_KEYS) else { return };
    let Ok(Value::Array(entries)) = serde_json::from_str(&text) else {
        reader.error("UPSTREAM_PUBLIC_KEYS must be a JSON array of public JWKs");
        return;
    };
    let signing = keys.len();
    for (index, entry) in entries.iter().enumerate() {
        let problem = match PublicKey::parse(entry) {
            Ok(key) if keys[..signing].contains(&key) => continue,
            Ok(key) if keys.iter().any(|known| known.kid() == key.kid()) => {
                "has a \"kid\" that another key has already: verifiers could not tell them apart".to_owned()
            }
            Ok(key) => {
                keys.push(key);
                continue;
            }
            Err(error) => error.to_string(),
        };
        reader.error(["UPSTREAM_PUBLIC_KEYS: key ", &(index + 1).to_string(), " ", &problem].concat());
    }
}

fn read_secret(reader: &mut Reader<'_>) -> Option<Credentials> {
    let header = reader.text(SECRET_HEADER).unwrap_or_else(|| "authorization".to_owned()).to_ascii_lowercase();
    let has_prefix = ["mcp-", "sec-", "proxy-"].iter().any(|prefix| header.starts_with(prefix));
    if has_prefix || RESERVED_HEADERS.contains(&&*header) || !is_sendable_header(&header, "") {
        reader.wrong_value(
            SECRET_HEADER,
            &header,
            "must be the name of a header for credentials, such as x-api-key: not one of MCP, of a connection or of a body",
        );
    }
    let Some(value) = reader.secret(SECRET) else {
        reader.error(
            "UPSTREAM_SECRET is not set: UPSTREAM_AUTH = \"secret\" sends it to the upstream. Put the whole value of the \
             header, for example `Bearer …`, with `wrangler secret put UPSTREAM_SECRET`",
        );
        return None;
    };
    if !is_sendable_header("x", value.expose()) {
        reader.error("UPSTREAM_SECRET must consist of visible ASCII and spaces: it is the value of a header");
    }
    Some(Credentials::Secret { header, value })
}

fn read_connection(reader: &mut Reader<'_>, surroundings: Surroundings<'_>) -> Credentials {
    if !surroundings.has_vault {
        reader.error(
            "UPSTREAM_AUTH = \"connection\" needs the vault, where users connect their accounts. Add to [[services]] in \
             wrangler.toml: binding = \"VAULT_CALLS\", the service of the vault, entrypoint = \"Internal\", props = { role = \
             \"endpoint\" }",
        );
    }
    let name = reader.text(CONNECTION).unwrap_or_else(|| "upstream".to_owned());
    if !is_connection_name(&name) {
        let problem = "must be the name of a connection in the vault's CONNECTIONS: a lower-case letter, then up to 31 \
                       lower-case letters, digits and -";
        reader.wrong_value(CONNECTION, &name, problem);
    }
    Credentials::Connection(ConnectionSettings::new(name, surroundings.resource))
}

/// Collects the error that a setting must not be set.
fn refuse(reader: &mut Reader<'_>, name: &str, problem: &str) {
    if reader.text(name).is_some() {
        reader.error([name, " ", problem].concat());
    }
}

#[cfg(test)]
mod tests;
