//! `POST /register` (RFC 7591) and `GET`, `PUT`, `DELETE /register/{client_id}` (RFC 7592).
//!
//! Every page may call it: clients run in browsers, too, and what opens it are tokens, no cookies.

use mcp_edge::{
    cors,
    http::{BodyError, RequestHead, Response},
    log::AccessLog,
    oauth::{
        access::identity::{Identity, Kind},
        bearer,
        denial::{Denial, Reason},
        resource_server::Trail,
    },
    ports::Ports,
};
use serde_json::{Value, json};

use crate::{
    audit::Event,
    initial_token::InitialUse,
    policy::{Mode, Registrant},
    record::{Record, is_client_id},
    registrar::{Exchange, Registrar, failed, unauthorized},
    registration::{
        error::MetadataError,
        metadata::{ClientMetadata, members},
    },
    registry::{Failure, Request, Via},
    secret::Secret,
    settings::REGISTRATION_PATH,
    store::RegistrationStore,
};

/// Members of the client information response that are the server's (RFC 7592 §2.2).
const SERVER_MEMBERS: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// A refusal, ready to be sent.
type Refusal = Response;

impl Registrar {
    /// Answers requests at and below the registration endpoint.
    pub(crate) async fn registration<S: RegistrationStore, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        exchange: &Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Response {
        let client_id = head.path().strip_prefix(REGISTRATION_PATH).and_then(|rest| rest.strip_prefix('/'));
        let outcome = match (head.method(), client_id) {
            ("OPTIONS", _) => return preflight(),
            ("POST", None) => self.create(head, exchange, log).await,
            ("GET" | "PUT" | "DELETE", Some(client_id)) => self.manage(head, client_id, exchange, log).await,
            (_, None) => Err(Response::empty(405).with_header("allow", "POST, OPTIONS")),
            (_, Some(_)) => Err(Response::empty(405).with_header("allow", "GET, PUT, DELETE, OPTIONS")),
        };
        let response = outcome.unwrap_or_else(|refusal| refusal);
        cors::public(response).with_header("access-control-expose-headers", "WWW-Authenticate, Retry-After")
    }

    /// (1) who asks, (2) the metadata, (3) the registry, (4) the client information response (RFC 7591 §3.2.1).
    async fn create<S: RegistrationStore, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        exchange: &Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Result<Response, Refusal> {
        // (1)
        let (registrant, initial_use) = self.registrant(head, exchange, log).await?;
        // (2)
        let body = json_body(head, exchange)?;
        let schemes = &self.settings.policy.private_use_schemes;
        let metadata = ClientMetadata::parse(body, schemes).map_err(|error| failed(&error.into(), log))?;
        let metadata = metadata.without_foreign_pages();
        // (3)
        let registered = self.with_registry(exchange, async |registry| {
            let registered = registry.register(Request { metadata, registrant, via: Via::Endpoint }).await?;
            if let Some(initial_use) = initial_use {
                // The client exists; a use that could not be written down is no reason to take it away.
                let _ = registry.spend(initial_use, &registered.client_id).await;
            }
            Ok(registered)
        });
        let registered = registered.await.map_err(|failure| failed(&failure, log))?;
        log.client_id = Some(registered.client_id.clone());
        // (4)
        let (secret, token) = (registered.secret.as_ref(), registered.token.as_ref().map(Secret::expose));
        Ok(self.information(201, &registered.client_id, &registered.record, secret, token))
    }

    /// What the operator asks of whoever registers.
    async fn registrant<'a, S: RegistrationStore, P: Ports>(
        &'a self,
        head: &RequestHead<'_>,
        exchange: &'a Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Result<(Registrant, Option<InitialUse<'a>>), Refusal> {
        match self.settings.policy.mode {
            Mode::Open => Ok((Registrant::Anyone { network: exchange.network() }, None)),
            Mode::Token => {
                let token = bearer::token_of(head).map_err(|reason| unauthorized(log, reason))?.expose();
                let initial_use = self.records(exchange).take_use(&exchange.network(), token).await;
                let initial_use = initial_use.map_err(|failure| failed(&failure, log))?;
                let initial_use = initial_use.ok_or_else(|| unauthorized(log, Reason::Inactive))?;
                Ok((initial_use.registrant(token), Some(initial_use)))
            }
            Mode::Developers => {
                let identity = self.developer(head, exchange, log).await.map_err(|denial| {
                    log.note_denial(&denial);
                    self.challenge.response(&denial)
                })?;
                let (issuer, subject) = (identity.issuer.clone(), identity.subject.clone());
                Ok((Registrant::Developer { issuer, subject }, None))
            }
        }
    }

    /// A person with the scope for it, verified like the sender of any other request to a protected resource.
    pub(crate) async fn developer<S, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        exchange: &Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Result<std::rc::Rc<Identity>, Denial> {
        let mut trail = Trail::default();
        let outcome = self.resource_server.authenticate(head, exchange.now, &exchange.ports, &mut trail).await;
        log.note_trail(trail, self.settings.edge.log_subject);
        let identity = outcome?;
        if identity.kind == Kind::User { Ok(identity) } else { Err(Denial::user_required(identity.kind)) }
    }

    /// RFC 7592: (1) the token, (2) how often, (3) what is asked for. An unknown client and a wrong token look the same
    /// (§2), and only a good token leads as far as the provider.
    async fn manage<S: RegistrationStore, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        client_id: &str,
        exchange: &Exchange<S, P>,
        log: &mut AccessLog,
    ) -> Result<Response, Refusal> {
        // (1)
        let token = bearer::token_of(head).map_err(|reason| unauthorized(log, reason))?.expose();
        if !is_client_id(client_id) {
            return Err(unauthorized(log, Reason::Inactive));
        }
        let records = self.records(exchange);
        let record = records.find_by_token(&exchange.network(), client_id, token).await;
        let record = record.map_err(|failure| failed(&failure, log))?;
        let record = record.ok_or_else(|| unauthorized(log, Reason::Inactive))?;
        log.client_id = Some(client_id.to_owned());
        // (2)
        records.count_call(client_id).await.map_err(|failure| failed(&failure, log))?;
        // (3)
        match self.carry_out(head, client_id, token, &record, exchange).await {
            Err(Failure::Gone) => {
                // Removed at the provider. The token ends with the client (§2.1); if not now, then with the next call.
                let _ = records.forget(client_id, &record).await;
                Err(unauthorized(log, Reason::Inactive))
            }
            outcome => outcome.map_err(|failure| failed(&failure, log)),
        }
    }

    /// Does what the holder of a client's token asks for.
    async fn carry_out<S: RegistrationStore, P: Ports>(
        &self,
        head: &RequestHead<'_>,
        client_id: &str,
        token: &str,
        record: &Record,
        exchange: &Exchange<S, P>,
    ) -> Result<Response, Failure> {
        let by = "registration token";
        match head.method() {
            "GET" => {
                let secret = self.with_registry(exchange, async |registry| registry.secret(client_id, record).await);
                Ok(self.information(200, client_id, record, secret.await?.as_ref(), Some(token)))
            }
            "PUT" => {
                let body = match json_body(head, exchange) {
                    Ok(body) => body,
                    Err(refusal) => return Ok(refusal),
                };
                let members = members(body)?;
                let schemes = &self.settings.policy.private_use_schemes;
                let metadata = ClientMetadata::from_members(&members, schemes)?.without_foreign_pages();
                let changed = self.with_registry(exchange, async |registry| {
                    let secret = registry.secret(client_id, record).await?;
                    check_server_members(&members, client_id, secret.as_ref())?;
                    Ok((registry.update(client_id, record, metadata, by).await?, secret))
                });
                let (record, secret) = changed.await?;
                Ok(self.information(200, client_id, &record, secret.as_ref(), Some(token)))
            }
            _ => {
                let removal = self.with_registry(exchange, async |registry| {
                    registry.remove(client_id, record, Event::ClientRemoved, by).await
                });
                removal.await?;
                Ok(Response::empty(204).with_header("cache-control", "no-store"))
            }
        }
    }

    /// The client information response (RFC 7591 §3.2.1, RFC 7592 §3). The registration access token that is shown is
    /// the one that was just made or just presented: only its hash is kept.
    fn information(
        &self,
        status: u16,
        client_id: &str,
        record: &Record,
        secret: Option<&Secret>,
        token: Option<&str>,
    ) -> Response {
        let mut body = serde_json::to_value(&record.metadata).unwrap_or_default();
        body["client_id"] = client_id.into();
        body["client_id_issued_at"] = record.created_at.into();
        if let Some(secret) = secret {
            body["client_secret"] = secret.expose().into();
            // It does not expire by itself.
            body["client_secret_expires_at"] = 0.into();
        }
        if let Some(token) = token {
            body["registration_access_token"] = token.into();
            body["registration_client_uri"] = json!(format!("{}/{client_id}", self.settings.edge.resource.url));
        }
        Response::json(status, body.to_string())
            .with_header("cache-control", "no-store")
            .with_header("pragma", "no-cache")
    }
}

/// What an update may and must say beside the metadata (RFC 7592 §2.2).
fn check_server_members(
    members: &serde_json::Map<String, Value>,
    client_id: &str,
    secret: Option<&Secret>,
) -> Result<(), Failure> {
    if let Some(member) = SERVER_MEMBERS.iter().find(|member| members.contains_key(**member)) {
        return Err(MetadataError::metadata(*member, "must be left out of an update").into());
    }
    if members.get("client_id").and_then(Value::as_str) != Some(client_id) {
        return Err(MetadataError::metadata("client_id", "must be that of the client").into());
    }
    match members.get("client_secret") {
        None => Ok(()),
        Some(theirs) if theirs.as_str().is_some_and(|theirs| secret.is_some_and(|ours| ours.expose() == theirs)) => {
            Ok(())
        }
        Some(_) => Err(MetadataError::metadata("client_secret", "must be the current one, or left out").into()),
    }
}

/// The body of a request that must have one.
fn json_body<'a, S, P>(head: &RequestHead<'_>, exchange: &'a Exchange<S, P>) -> Result<&'a str, Refusal> {
    let refuse = |status, description: &str| {
        let body = json!({ "error": "invalid_client_metadata", "error_description": description });
        Response::json(status, body.to_string()).with_header("cache-control", "no-store")
    };
    let media_type = head.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(refuse(415, "The body must be JSON, with content-type: application/json"));
    }
    match &exchange.body {
        Ok(body) => Ok(body),
        Err(BodyError::TooLarge) => Err(refuse(413, "The body is too large")),
        Err(BodyError::Broken) => Err(refuse(400, "The body broke off")),
    }
}

fn preflight() -> Response {
    cors::public(Response::empty(204))
        .with_header("access-control-allow-methods", "POST, GET, PUT, DELETE, OPTIONS")
        .with_header("access-control-allow-headers", "authorization, content-type, accept, mcp-protocol-version")
        .with_header("access-control-max-age", "86400")
}
