//! Settings: those of every resource server (whom to trust, what it is called, the log), and those of a registrar.

use mcp_edge_oauth::{Scopes, is_scope_token, settings::ResourceServerSettings};
use mcp_edge_runtime::{
    log::LogSettings,
    settings::{Reader, SettingsError},
};

use crate::{
    policy::{Limits, Mode, Policy},
    provider::logto::Tenant,
    secret::Secret,
};

/// The profile of the tokens of developers.
const PROVIDER: &str = "logto";

/// The registration endpoint's path. The portal has the rest of the host.
pub const REGISTRATION_PATH: &str = "/register";

/// Schemes that browsers interpret. An operator cannot allow them.
const NEVER_PRIVATE: [&str; 10] =
    ["javascript", "data", "file", "blob", "vbscript", "about", "http", "https", "ws", "wss"];

/// Whether and how unused registrations end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cleanup {
    /// They are removed.
    On,
    /// It is only reported what would be removed.
    DryRun,
    /// They stay.
    Off,
}

/// The portal's own client at the provider.
#[derive(Clone)]
pub struct PortalClient {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Secret,
    /// Seals sessions.
    pub session_secret: Secret,
}

/// Everything that an operator decides.
#[derive(Clone)]
pub struct Settings {
    /// The resource server: its URL and whom it trusts.
    pub server: ResourceServerSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Logto's Management API.
    pub tenant: Tenant,
    /// Who may register, and how much.
    pub policy: Policy,
    /// What the scheduled run does.
    pub cleanup: Cleanup,
    /// `None`: there is no portal.
    pub portal: Option<PortalClient>,
}

impl Settings {
    /// Reads and checks all settings. `get` returns the text under a name, or `None`.
    ///
    /// # Errors
    /// Every error that was found.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        // Developers sign in at the provider at which their clients are registered.
        let get = |name: &str| {
            get(name)
                .filter(|value| !value.trim().is_empty())
                .or_else(|| (name == "PROVIDER").then(|| PROVIDER.to_owned()))
        };
        let mut reader = Reader::new(&get);
        let server = ResourceServerSettings::read(&mut reader);
        let log = LogSettings::read(&mut reader);
        let resource = &server.resource;
        if !resource.url.is_empty() && resource.path != REGISTRATION_PATH {
            reader.error(format!(
                "RESOURCE must be the registration endpoint, {}{REGISTRATION_PATH}: the portal has the rest of the host",
                resource.origin
            ));
        }
        if server.trust.required_scopes.is_empty() {
            reader.error(
                "REQUIRED_SCOPES is empty, so any user of the provider could register applications: set it to apps:write",
            );
        }
        let tenant = tenant(&mut reader);
        if tenant.as_ref().is_some_and(|tenant| tenant.mcp_resource == resource.url) {
            reader.error(
                "MCP_RESOURCE must not be RESOURCE: clients could ask users for the permission to register clients",
            );
        }
        let policy = policy(&mut reader);
        let cleanup = match reader.text("CLEANUP").as_deref() {
            None | Some("dry-run") => Cleanup::DryRun,
            Some("on") => Cleanup::On,
            Some("off") => Cleanup::Off,
            Some(other) => {
                reader.wrong_value("CLEANUP", other, "must be \"on\", \"dry-run\" or \"off\"");
                Cleanup::Off
            }
        };
        let portal = portal(&mut reader);
        let tenant = reader.finish(tenant)?.ok_or_else(|| SettingsError(Vec::new()))?;
        Ok(Self { server, log, tenant, policy, cleanup, portal })
    }
}

fn tenant(reader: &mut Reader<'_>) -> Option<Tenant> {
    let mut required = |name: &str, what: &str| {
        let value = reader.text(name);
        if value.is_none() {
            reader.error(format!("{name} is not set: {what}"));
        }
        value
    };
    let api =
        required("MANAGEMENT_API", "give the Management API's address, such as https://your-tenant.logto.app/api");
    let client_id = required(
        "MANAGEMENT_CLIENT_ID",
        "set it with `wrangler secret put` to the machine-to-machine application's id",
    );
    let client_secret = required("MANAGEMENT_CLIENT_SECRET", "set it with `wrangler secret put`");
    let mcp_resource =
        required("MCP_RESOURCE", "give the MCP server's API resource, byte for byte as its own RESOURCE");
    let api = api.and_then(|_| reader.url("MANAGEMENT_API"))?.trim_end_matches('/').to_owned();
    let indicator = reader.text("MANAGEMENT_RESOURCE").unwrap_or_else(|| api.clone());
    Some(Tenant {
        api,
        indicator,
        client_id: client_id?,
        client_secret: Secret::new(client_secret?),
        mcp_resource: mcp_resource?,
    })
}

fn policy(reader: &mut Reader<'_>) -> Policy {
    let mode = match reader.text("REGISTRATION").as_deref() {
        None | Some("developers") => Mode::Developers,
        Some("token") => Mode::Token,
        Some("open") => Mode::Open,
        Some(other) => {
            reader.wrong_value("REGISTRATION", other, "must be \"developers\", \"token\" or \"open\"");
            Mode::Developers
        }
    };
    let scopes = reader.words("CLIENT_SCOPES");
    if scopes.is_empty() {
        reader.error(
            "CLIENT_SCOPES is not set: name what clients may ask users for, for example \"profile whoami:read\""
                .to_owned(),
        );
    }
    if let Some(bad) = scopes.iter().find(|scope| !is_scope_token(scope)) {
        reader.wrong_entry("CLIENT_SCOPES", bad, "is not a scope");
    }
    let private_use_schemes = reader.words("PRIVATE_USE_SCHEMES");
    let is_scheme = |scheme: &String| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte))
    };
    if let Some(bad) = private_use_schemes.iter().find(|it| !is_scheme(it) || NEVER_PRIVATE.contains(&it.as_str())) {
        reader.wrong_entry("PRIVATE_USE_SCHEMES", bad, "is no private-use scheme (lower case, such as \"myapp\")");
    }
    Policy {
        mode,
        allowed_scopes: scopes.iter().map(String::as_str).collect::<Scopes>(),
        private_use_schemes,
        limits: Limits {
            per_address_and_hour: number(reader, "REGISTRATIONS_PER_HOUR", 10, 1_000),
            clients: number(reader, "MAX_CLIENTS", 500, 10_000),
            per_developer: number(reader, "MAX_CLIENTS_PER_DEVELOPER", 20, 500),
            unused_days: number(reader, "UNUSED_DAYS", 7, 3_650),
            idle_days: number(reader, "IDLE_DAYS", 180, 3_650),
        },
    }
}

fn number(reader: &mut Reader<'_>, name: &str, default: u32, highest: u32) -> u32 {
    match reader.text(name).map(|text| text.parse::<u32>()) {
        None => default,
        Some(Ok(number)) if (1..=highest).contains(&number) => number,
        Some(_) => {
            reader.error(format!("{name} must be a whole number between 1 and {highest}"));
            default
        }
    }
}

fn portal(reader: &mut Reader<'_>) -> Option<PortalClient> {
    let client_id = reader.text("PORTAL_CLIENT_ID")?;
    let client_secret = reader.text("PORTAL_CLIENT_SECRET");
    let session_secret = reader.text("SESSION_SECRET").filter(|secret| secret.len() >= 32);
    if client_secret.is_none() {
        reader.error("PORTAL_CLIENT_ID needs PORTAL_CLIENT_SECRET: set it with `wrangler secret put`".to_owned());
    }
    if session_secret.is_none() {
        reader.error(
            "PORTAL_CLIENT_ID needs SESSION_SECRET of at least 32 characters, for example from `openssl rand -base64 32`: \
             set it with `wrangler secret put`"
                .to_owned(),
        );
    }
    Some(PortalClient {
        client_id,
        client_secret: Secret::new(client_secret?),
        session_secret: Secret::new(session_secret?),
    })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::client_metadata::redirect_uri;

    /// Everything that must be set, with changes.
    pub(crate) fn parse(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let good = [
            ("ISSUER", "https://tenant.example/oidc"),
            ("RESOURCE", "https://apps.example.com/register"),
            ("REQUIRED_SCOPES", "apps:write"),
            ("MANAGEMENT_API", "https://tenant.example/api"),
            ("MANAGEMENT_CLIENT_ID", "machine"),
            ("MANAGEMENT_CLIENT_SECRET", "machine-secret"),
            ("MCP_RESOURCE", "https://mcp.example.dev/mcp"),
            ("CLIENT_SCOPES", "profile whoami:read"),
        ];
        let find = |list: &[(&str, &str)], name: &str| {
            list.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::parse(|name| find(changes, name).or_else(|| find(&good, name)))
    }

    #[test]
    fn the_least_that_works_is_closed_to_strangers() {
        let settings = parse(&[]).unwrap();
        assert_eq!(settings.policy.mode, Mode::Developers);
        assert_eq!(settings.cleanup, Cleanup::DryRun);
        assert_eq!(settings.tenant.indicator, "https://tenant.example/api");
        assert_eq!(settings.policy.allowed_scopes.to_string(), "profile whoami:read");
        assert!(settings.portal.is_none());
    }

    #[test]
    fn everything_that_can_be_said() {
        let settings = parse(&[
            ("REGISTRATION", "open"),
            ("MANAGEMENT_API", "https://auth.example.com/api/"),
            ("MANAGEMENT_RESOURCE", "https://default.logto.app/api"),
            ("REGISTRATIONS_PER_HOUR", "3"),
            ("CLEANUP", "on"),
            ("PRIVATE_USE_SCHEMES", "myapp my2-app.x+y"),
            ("PORTAL_CLIENT_ID", "portal"),
            ("PORTAL_CLIENT_SECRET", "portal-secret"),
            ("SESSION_SECRET", "0123456789abcdef0123456789abcdef"),
        ])
        .unwrap();
        assert_eq!(settings.tenant.api, "https://auth.example.com/api");
        assert_eq!(settings.tenant.indicator, "https://default.logto.app/api");
        assert_eq!((settings.policy.mode, settings.policy.limits.per_address_and_hour), (Mode::Open, 3));
        assert!(settings.portal.is_some());
    }

    #[test]
    fn schemes_of_known_clients_may_be_listed_and_gain_nothing() {
        for known in redirect_uri::KNOWN_PRIVATE_USE_SCHEMES {
            let schemes =
                parse(&[("PRIVATE_USE_SCHEMES", &format!("myapp {known}"))]).unwrap().policy.private_use_schemes;
            let other = redirect_uri::check(&format!("{known}://install/extension"), &schemes);
            assert_eq!(other, Err(redirect_uri::Problem::KnownScheme), "{known}");
        }
    }

    #[test]
    fn every_error_says_how_to_fix_it_and_no_secret_is_shown() {
        for (changes, fix) in [
            (vec![("ISSUER", "")], "ISSUER"),
            (vec![("RESOURCE", "https://apps.example.com/apps")], "https://apps.example.com/register"),
            (vec![("REQUIRED_SCOPES", "")], "apps:write"),
            (vec![("MANAGEMENT_API", "")], "MANAGEMENT_API is not set"),
            (vec![("MANAGEMENT_API", "http://tenant.example/api")], "must begin with https://"),
            (vec![("MANAGEMENT_CLIENT_SECRET", "")], "wrangler secret put"),
            (vec![("MCP_RESOURCE", "")], "MCP_RESOURCE is not set"),
            (vec![("MCP_RESOURCE", "https://apps.example.com/register")], "MCP_RESOURCE must not be RESOURCE"),
            (vec![("CLIENT_SCOPES", "")], "CLIENT_SCOPES is not set"),
            (vec![("CLIENT_SCOPES", "a \"b\"")], "is not a scope"),
            (vec![("REGISTRATION", "yes")], "\"developers\", \"token\" or \"open\""),
            (vec![("MAX_CLIENTS", "0")], "between 1 and 10000"),
            (vec![("CLEANUP", "yes")], "\"dry-run\""),
            (vec![("PRIVATE_USE_SCHEMES", "javascript")], "no private-use scheme"),
            (vec![("PRIVATE_USE_SCHEMES", "9app")], "no private-use scheme"),
            (vec![("PRIVATE_USE_SCHEMES", "my_app")], "no private-use scheme"),
            (vec![("PRIVATE_USE_SCHEMES", "-app")], "no private-use scheme"),
            (
                vec![("PORTAL_CLIENT_ID", "p"), ("SESSION_SECRET", "0123456789abcdef0123456789abcdef")],
                "PORTAL_CLIENT_SECRET",
            ),
            (
                vec![("PORTAL_CLIENT_ID", "p"), ("PORTAL_CLIENT_SECRET", "s"), ("SESSION_SECRET", "short")],
                "openssl rand",
            ),
        ] {
            let Err(SettingsError(errors)) = parse(&changes) else { panic!("{changes:?} is accepted") };
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains(fix), "{errors:?}");
            assert!(!errors[0].contains("machine-secret"));
        }
    }
}
