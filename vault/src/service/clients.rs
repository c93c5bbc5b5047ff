//! The client of the services of all connections of the kind `connect`.

use std::rc::Rc;

use mcp_edge_oauth::{
    denial::{Excerpt, Reason},
    resource_server::TrustedIssuer,
    token::denied::DeniedTokens,
    token_endpoint::TokenEndpointError,
};
use mcp_edge_runtime::{ports::Services, secret::Secret};
use mcp_edge_sign_in::{
    authorization::{self, AuthorizationRequest, RoundTrip},
    client::Client,
    id_token::{self, Expected, IdTokenError},
    tokens::{self, TokenKind, TokenRequestError, Tokens},
};
use serde_json::{Map, Value};

use super::{
    AuthorizationServers, Begun, Issued, Narrowing, Provenance, Redemption, RefreshError, ServiceError, ServiceTokens,
    account::{self, AccountId, ServiceAccount},
    discovery::discover,
    grant::{asked, granted, is_lost_client, may_be_of_method, meaning},
    of_connection::{OfConnection, Own},
    own_client::{ClientKind, OurClient, OwnClients, other_method},
    registration::client::Registrations,
    server::AuthorizationServer,
};
use crate::{
    connection::{address::Reach, settings::Connection},
    jwt::claims_of,
};

/// The client of the services of all connections. Created once per isolate.
pub struct ServiceClients<S, R> {
    all: Vec<OfConnection>,
    ours: OwnClients<S, R>,
    services: S,
}

impl<S: Services, R: Registrations> ServiceClients<S, R> {
    /// Creates the client of the connections of the kind `connect` among these.
    pub fn new<'c>(
        connections: impl IntoIterator<Item = &'c Connection>,
        own: Own,
        registrations: R,
        services: S,
    ) -> Self {
        let reach = Reach::of_resource(&own.resource);
        let all = connections.into_iter().filter_map(|connection| OfConnection::new(connection, reach));
        Self { all: all.collect(), ours: OwnClients { own, registrations, services: services.clone() }, services }
    }

    fn of(&self, connection: &str) -> Result<&OfConnection, ServiceError> {
        let found = self.all.iter().find(|of| of.connection.name == connection);
        found.ok_or_else(|| {
            ServiceError::Client(format!("CONNECTIONS has no connection {connection:?} of the kind connect"))
        })
    }

    async fn server(&self, of: &OfConnection, now: u64) -> Result<Rc<AuthorizationServer>, ServiceError> {
        let search = async |held: Option<Rc<AuthorizationServer>>| {
            discover(&of.connection, &of.service, &of.hosts, held.as_deref(), &self.services).await
        };
        of.known.server(now, &self.services, search).await
    }

    /// The server, if it is that which something is from.
    async fn server_of(
        &self,
        of: &OfConnection,
        from: &Provenance,
        now: u64,
    ) -> Result<Rc<AuthorizationServer>, ServiceError> {
        let server = self.server(of, now).await?;
        from.check(of, &server).map(|()| server)
    }

    async fn begin_round_trip(
        &self,
        connection: &str,
        scopes: &[String],
        asks_for_another: bool,
        now: u64,
    ) -> Result<Begun, ServiceError> {
        let of = self.of(connection)?;
        let asked = asked_of(of, scopes)?;
        let server = self.server(of, now).await?;
        let OurClient { client, .. } = self.ours.current(of, &server, None).await?;
        let more = &*of.service.parameters;
        let given = more.iter().find(|(name, _)| name == "prompt").map(|(_, prompt)| prompt.as_str());
        let prompt = asks_for_another.then(|| server.prompt_for_another_account(given.unwrap_or_default()));
        let request = AuthorizationRequest {
            scope: &asked.join(" "),
            resource: of.resource(),
            prompt: prompt.as_deref(),
            max_age: None,
            more,
        };
        let begun = authorization::begin(&client, &server.provider, &request, &self.services);
        let (url, round_trip) =
            begun.map_err(|error| ServiceError::Unavailable(format!("connection {connection}: {error}")))?;
        let (issuer, from) = (server.provider.issuer.clone(), Provenance::of(of, &server));
        Ok(Begun { url, round_trip, client_id: client.client_id, issuer, from })
    }

    /// Sends a request as our client. Where nobody says how the service takes the secret, the other way is tried after a
    /// refusal of the client: nothing was redeemed by then. What has worked last comes first, and no more than that: a service
    /// may look at a code before it looks at the client, and users could make codes up.
    async fn authenticated<T>(
        &self,
        of: &OfConnection,
        ours: &OurClient,
        send: impl AsyncFn(&Client) -> Result<T, TokenRequestError>,
    ) -> Result<T, TokenRequestError> {
        let Some(first) = ours.guess else { return send(&ours.client).await };
        let mut client = ours.client.clone();
        client.method = of.known.method.get().unwrap_or(first);
        let mut outcome = send(&client).await;
        if outcome.as_ref().is_err_and(may_be_of_method) {
            client.method = other_method(client.method);
            outcome = send(&client).await;
        }
        if outcome.is_ok() {
            of.known.method.set(Some(client.method));
        }
        outcome
    }

    fn service_tokens(
        of: &OfConnection,
        tokens: Tokens,
        asked: &[&str],
        client_id: &str,
        from: &Provenance,
        now: u64,
    ) -> Result<ServiceTokens, ServiceError> {
        Ok(ServiceTokens {
            from: from.clone(),
            scopes: granted(of.name(), &tokens.scope, asked, &of.connection.scopes)?,
            access_token: tokens.access_token,
            until: tokens.expires_in.map(|seconds| now.saturating_add(seconds)),
            refresh_token: tokens.refresh_token,
            id_token: None,
            client_id: client_id.to_owned(),
        })
    }

    /// Verifies the ID token of a round trip. `None`: the keys cannot be had, so that it says nothing.
    async fn verified(
        &self,
        of: &OfConnection,
        server: &AuthorizationServer,
        id_token: Secret,
        client_id: &str,
        round_trip: &RoundTrip,
        now: u64,
    ) -> Result<Option<Secret>, ServiceError> {
        if server.provider.jwks_uri.is_empty() {
            return Ok(None);
        }
        let (issuer, denied) = (TrustedIssuer::new(&server.provider.issuer, Vec::new()), DeniedTokens::default());
        let expected =
            Expected { issuer: &issuer, client_id, nonce: &round_trip.nonce, denied: &denied, max_age: None };
        let keys = of.known.keys(server, &self.ours.own.resource);
        match id_token::verify(&id_token, &expected, &keys, now, &self.services).await {
            Ok(_) => Ok(Some(id_token)),
            Err(IdTokenError::Denied(denial)) if denial.reason() == Reason::KeysUnavailable => Ok(None),
            Err(error) => Err(ServiceError::Unavailable(format!("connection {}: its ID token: {error}", of.name()))),
        }
    }

    /// What an error of a token request means. A client that the service does not know any more, or whose secret
    /// has ended, is registered anew, once.
    async fn failure(
        &self,
        of: &OfConnection,
        server: &AuthorizationServer,
        ours: &OurClient,
        error: &TokenRequestError,
        is_refresh: bool,
    ) -> ServiceError {
        let endpoint = server.provider.token_endpoint.as_deref().unwrap_or_default();
        let client_id = &ours.client.client_id;
        let meaning = meaning(of.name(), endpoint, client_id, error);
        let ClientKind::Registered { is_replaced } = ours.kind else { return meaning };
        if !is_lost_client(error) {
            return meaning;
        }
        // What was issued to a client that is gone is gone with it. Whether it is, another registration shows.
        if !is_replaced {
            match self.ours.current(of, server, Some(client_id)).await {
                Ok(OurClient { kind: ClientKind::Registered { .. }, .. }) => {}
                // Nothing was registered: the settings have a client by now, for example.
                Ok(_) => return meaning,
                Err(error) => return error,
            }
        }
        if is_refresh && is_replaced {
            return ServiceError::Ended;
        }
        if is_refresh {
            // The service may be wrong for a moment.
            return ServiceError::Unavailable(format!(
                "connection {}: the service does not know our client; another one is registered",
                of.name()
            ));
        }
        ServiceError::Client(format!(
            "connection {}: the service did not know our client any more; it was registered anew: begin again",
            of.name()
        ))
    }
}

impl<S: Services, R: Registrations> AuthorizationServers for ServiceClients<S, R> {
    async fn begin(&self, connection: &str, scopes: &[String], now: u64) -> Result<Begun, ServiceError> {
        self.begin_round_trip(connection, scopes, false, now).await
    }

    async fn begin_for_another_account(
        &self,
        connection: &str,
        scopes: &[String],
        now: u64,
    ) -> Result<Begun, ServiceError> {
        self.begin_round_trip(connection, scopes, true, now).await
    }

    async fn redeem(&self, redemption: Redemption<'_>, now: u64) -> Result<ServiceTokens, ServiceError> {
        let Redemption { connection, client_id, from, code, round_trip, scopes } = redemption;
        let of = self.of(connection)?;
        let asked = asked_of(of, scopes)?;
        let server = self.server_of(of, from, now).await?;
        let ours = self.ours.of(of, &server, client_id).await?;
        let send = async |client: &_| {
            let (verifier, resource) = (&round_trip.verifier, of.resource());
            tokens::redeem(&server.provider, client, code, verifier, resource, &self.services).await
        };
        let mut tokens = match self.authenticated(of, &ours, send).await {
            Ok(tokens) => tokens,
            Err(error) => return Err(self.failure(of, &server, &ours, &error, false).await),
        };
        let id_token = tokens.id_token.take().filter(|_| asked.contains(&"openid"));
        // What is not accepted is not revoked: many services would end an account that is connected already with it.
        let tokens = Self::service_tokens(of, tokens, &asked, client_id, from, now)?;
        let Some(id_token) = id_token else { return Ok(tokens) };
        let id_token = self.verified(of, &server, id_token, client_id, round_trip, now).await?;
        Ok(ServiceTokens { id_token, ..tokens })
    }

    async fn account(
        &self,
        connection: &str,
        tokens: &ServiceTokens,
        now: u64,
    ) -> Result<ServiceAccount, ServiceError> {
        let of = self.of(connection)?;
        let unavailable = |why: String| ServiceError::Unavailable(format!("connection {connection}: {why}"));
        let claims: Map<String, Value> =
            tokens.id_token.as_ref().and_then(|id_token| claims_of(id_token.expose())).unwrap_or_default();
        let id = AccountId::of_claims(&claims);
        let called = |name: Option<String>, id| ServiceAccount { name: name.unwrap_or_default(), id };
        if let Some(source) = &of.service.account {
            of.hosts.check("account_url", &source.url)?;
            let wanted = |name: &str| account::is_part_of(&source.member, name);
            let document = account::request(&source.url, &tokens.access_token, &wanted, &self.services).await;
            let document = document.map_err(unavailable)?;
            let id = id.or_else(|| AccountId::of_member(&document, &source.member));
            return Ok(called(account::of_member(&document, &source.member), id));
        }
        if let Some(name) = account::of_claims(&claims) {
            return Ok(called(Some(name), id));
        }
        let subject = account::subject_of(&claims);
        let server = self.server_of(of, &tokens.from, now).await?;
        let is_openid = tokens.scopes.split(' ').any(|scope| scope == "openid");
        let Some(url) = server.provider.userinfo_endpoint.as_deref().filter(|_| is_openid) else {
            return Ok(called(subject, id));
        };
        match account::request(url, &tokens.access_token, &account::is_claim, &self.services).await {
            // OpenID Connect Core §5.3.2: of another subject nothing may be used.
            Ok(userinfo) if claims.get("sub").is_none_or(|sub| userinfo.get("sub") == Some(sub)) => {
                let name = account::of_claims(&userinfo).or(subject).or_else(|| account::subject_of(&userinfo));
                Ok(called(name, AccountId::of_claims(&userinfo)))
            }
            Ok(_) => Err(unavailable(format!("{url} speaks of another subject than the ID token"))),
            Err(_) if subject.is_some() => Ok(called(subject, id)),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn leads_elsewhere(&self, connection: &str, from: &Provenance) -> bool {
        self.of(connection).is_ok_and(|of| from.is_left_by(of))
    }

    async fn refresh(
        &self,
        issued: Issued<'_>,
        refresh_token: &Secret,
        Narrowing { granted, wanted }: Narrowing<'_>,
        now: u64,
    ) -> Result<ServiceTokens, RefreshError> {
        let Issued { connection, client_id, from } = issued;
        let of = self.of(connection)?;
        let server = self.server_of(of, from, now).await?;
        let ours = self.ours.of(of, &server, client_id).await?;
        let asked: Vec<&str> = wanted.split_ascii_whitespace().collect();
        let is_narrower = granted.split_ascii_whitespace().any(|scope| !asked.contains(&scope));
        let superseded = || {
            ServiceError::Superseded(format!(
                "connection {connection}: its scopes have none, or fewer, of {:?}, and the service gives no narrower token: the \
                 account must be connected anew",
                Excerpt::new(granted)
            ))
        };
        if is_narrower && asked.is_empty() {
            return Err(superseded().into());
        }
        // Without `scope` it is what was granted (RFC 6749 §6), which some services write in another way than it is asked for.
        let scope = is_narrower.then(|| asked.join(" "));
        let send = async |client: &_| {
            let (resource, scope) = (of.resource(), scope.as_deref());
            tokens::refresh(&server.provider, client, refresh_token, resource, scope, &self.services).await
        };
        match self.authenticated(of, &ours, send).await {
            Ok(tokens) => {
                let refresh_token = tokens.refresh_token.clone();
                Self::service_tokens(of, tokens, &asked, client_id, from, now).map_err(|error| {
                    let is_wider = matches!(error, ServiceError::WiderScopes(_));
                    RefreshError { error: if is_wider && is_narrower { superseded() } else { error }, refresh_token }
                })
            }
            Err(TokenRequestError::Refused(TokenEndpointError::Other(code)))
                if is_narrower && code == "invalid_scope" =>
            {
                Err(superseded().into())
            }
            Err(error) => Err(self.failure(of, &server, &ours, &error, true).await.into()),
        }
    }

    async fn revoke(&self, issued: Issued<'_>, token: &Secret, now: u64) -> Result<bool, ServiceError> {
        let Issued { connection, client_id, from } = issued;
        let of = self.of(connection)?;
        let server = self.server_of(of, from, now).await?;
        let Some(endpoint) = server.revocation.clone()? else { return Ok(false) };
        let ours = self.ours.of(of, &server, client_id).await?;
        let send = async |client: &_| {
            tokens::revoke(&server.provider, client, token, TokenKind::Unknown, &self.services).await
        };
        match self.authenticated(of, &ours, send).await {
            Ok(()) => Ok(true),
            // RFC 7009 §2.2.1: not this kind of token.
            Err(TokenRequestError::Refused(TokenEndpointError::Other(code))) if code == "unsupported_token_type" => {
                Ok(false)
            }
            Err(error) => Err(meaning(connection, &endpoint, client_id, &error)),
        }
    }
}

/// What is asked for at a service.
fn asked_of<'a>(of: &'a OfConnection, scopes: &'a [String]) -> Result<Vec<&'a str>, ServiceError> {
    asked(&of.connection.scopes, scopes).map_err(|foreign| {
        ServiceError::Client(format!("connection {}: its scopes do not have {foreign:?}", of.name()))
    })
}
