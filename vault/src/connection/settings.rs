//! The setting `CONNECTIONS`: which services tools may reach for users, and in which way.

use mcp_edge_runtime::secret::Secret;

/// All connections, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connections(Vec<Connection>);

impl Connections {
    /// Creates a table of connections whose names are different.
    #[must_use]
    pub const fn new(connections: Vec<Connection>) -> Self {
        Self(connections)
    }

    /// The connection with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Connection> {
        self.0.iter().find(|connection| connection.name == name)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> std::slice::Iter<'_, Connection> {
        self.0.iter()
    }

    /// Those of the kind `connect`, which users connect accounts for.
    pub fn of_accounts(&self) -> impl Iterator<Item = (&Connection, &Service)> {
        self.0.iter().filter_map(|connection| match &connection.kind {
            Kind::Connect(service) => Some((connection, &**service)),
            _ => None,
        })
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Connections {
    type Item = &'a Connection;
    type IntoIter = std::slice::Iter<'a, Connection>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The name of the secret that belongs to a connection: `CONNECTION_`, its name in upper case with `_` for `-`, `_SECRET`.
#[must_use]
pub fn secret_name(connection: &str) -> String {
    ["CONNECTION_", &connection.to_ascii_uppercase().replace('-', "_"), "_SECRET"].concat()
}

/// What is sealed about connections, with which secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionsSecret {
    /// `CONNECTIONS_SECRET`: at least 32 characters.
    pub current: Secret,
    /// `CONNECTIONS_SECRET_PREVIOUS`: opens what was sealed before the secret was replaced, and seals nothing.
    pub previous: Option<Secret>,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its name: a lower-case letter, then up to 31 lower-case letters, digits and `-`.
    pub name: String,
    /// What users call the service (`title`; the name unless set).
    pub title: String,
    /// The base URL of the service (`url`): tokens are for this origin alone.
    pub url: String,
    /// What tools may ask for (`scopes`), as the service calls it.
    pub scopes: Vec<String>,
    /// What users read in place of a scope alone (`scope_descriptions`): scopes, and what each lets tools do.
    pub scope_descriptions: Vec<(String, String)>,
    /// How tokens are obtained.
    pub kind: Kind,
}

impl Connection {
    /// What a scope lets tools do, if the settings say it.
    #[must_use]
    pub fn description_of(&self, scope: &str) -> Option<&str> {
        let (_, description) = self.scope_descriptions.iter().find(|(described, _)| described == scope)?;
        Some(description)
    }
}

/// How tokens are obtained (`kind`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `connect`: the user connects an account of the service once; we are its OAuth client.
    Connect(Box<Service>),
    /// `exchange`: the caller's token is exchanged at the issuer that issued it (RFC 8693).
    Exchange(Exchange),
    /// `logto-broker`: a token of Logto for another API resource, by a subject token of the Management API.
    LogtoBroker(LogtoBroker),
    /// `logto-vault`: a token of the user's social or enterprise identity that Logto keeps in its Secret Vault.
    LogtoVault(LogtoVault),
    /// `static`: a secret of the deployment (`CONNECTION_<NAME>_SECRET`), the same for everybody.
    Static(Secret),
}

/// A service with an authorization server of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Where its endpoints are known from.
    pub place: Place,
    /// `resource`: the resource indicator of requests (RFC 8707).
    pub resource: Option<String>,
    /// `client_id` and the secret `CONNECTION_<NAME>_SECRET`; `None`: a client id metadata document or dynamic registration.
    pub client: Option<RegisteredClient>,
    /// `hosts`: hosts beside that of the issuer or resource that endpoints may be at.
    pub hosts: Vec<String>,
    /// `authorization_parameters`: names and values that are added to authorization requests.
    pub parameters: Vec<(String, String)>,
    /// `account_url` and `account_name`: where the name of the connected account is read from; `None`: ID token or userinfo.
    pub account: Option<AccountSource>,
}

/// Where the endpoints of an authorization server are known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// [`Service::resource`] alone: the first authorization server of its protected resource metadata (RFC 9728), then RFC 8414.
    Resource,
    /// `issuer`: its metadata (RFC 8414, OpenID Connect Discovery).
    Issuer(String),
    /// `authorization_endpoint`, `token_endpoint` and, optionally, `revocation_endpoint`: a server without metadata.
    Endpoints {
        /// `authorization_endpoint`
        authorization: String,
        /// `token_endpoint`
        token: String,
        /// `revocation_endpoint`
        revocation: Option<String>,
    },
}

/// Our client at a service, registered by the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredClient {
    /// Its id.
    pub client_id: String,
    /// Its secret; `None`: a public client.
    pub client_secret: Option<Secret>,
}

/// A document of the service that names the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSource {
    /// On the origin of the service or its issuer; requested with the access token.
    pub url: String,
    /// The member with the name.
    pub member: String,
}

/// RFC 8693 at the issuer of the caller's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// `resource` (RFC 8693 §2.1).
    pub resource: Option<String>,
    /// `audience`.
    pub audience: Option<String>,
    /// Our client; that of the vault unless `client_id` is set.
    pub client: RegisteredClient,
}

/// A token of Logto for another API resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogtoBroker {
    /// The API resource.
    pub resource: String,
    /// The application that exchanges (`allowTokenExchange`).
    pub client: RegisteredClient,
    /// What mints subject tokens.
    pub management: Management,
}

/// A token of an identity that Logto keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogtoVault {
    /// `target`: the connector's target, or `sso:<connector id>`.
    pub target: String,
    /// `link_url`: where users link that identity at Logto; `None`: the operator says it elsewhere.
    pub link_url: Option<String>,
    /// The application that exchanges.
    pub client: RegisteredClient,
    /// What mints subject tokens.
    pub management: Management,
}

/// Logto's Management API (`MANAGEMENT_API`, `MANAGEMENT_RESOURCE`, `MANAGEMENT_CLIENT_ID`, `MANAGEMENT_CLIENT_SECRET`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Management {
    /// The address, without a slash at its end.
    pub api: String,
    /// Its resource indicator.
    pub resource: String,
    /// Our machine-to-machine application.
    pub client: RegisteredClient,
}
