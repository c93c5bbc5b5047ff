//! An upstream: the MCP server that messages are passed on to.

use std::{borrow::Cow, time::Duration};

use futures_util::future::{FutureExt, LocalBoxFuture, ready};
use mcp_edge_connections::{
    access::ServiceAccess,
    port::{Connections, GATEWAY, NoAccess, TokenRequest},
};
use mcp_edge_identity::Identity;
use mcp_edge_protocol::headers::PARAMETER_PREFIX;
use mcp_edge_runtime::{
    context::RequestContext,
    forward::{Forward, ForwardContent, ForwardRequest, UpstreamResponse},
    keys::{KeyError, SigningKey},
    ports::{Method, Runtime},
    secret::Secret,
};

use crate::{
    credentials::{
        ConnectionSettings, Credentials,
        assertion::{Beginning, assertion, end_of},
    },
    eras::Eras,
    failure::Failure,
    pins::Pins,
    settings::{HAS_CONNECTIONS, UpstreamSettings},
};

/// The headers of a response that are read.
const RESPONSE_HEADERS: [&str; 3] = ["content-type", "mcp-session-id", "retry-after"];

/// An upstream, and how the gateway reaches it.
pub struct Upstream<F, K> {
    settings: UpstreamSettings,
    forward: F,
    /// Signs assertions, if the settings say so; and how they begin.
    signer: Option<(K, Beginning)>,
    /// Which eras it speaks.
    pub eras: Eras,
}

/// Who sends a message.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// As verified.
    pub identity: &'a Identity,
    /// The request that is passed on.
    pub context: &'a RequestContext,
    /// Randomness, and time.
    pub runtime: &'a dyn Runtime,
    /// The caller's tokens of other services, if the vault can be asked for them.
    pub connections: Option<&'a dyn Connections>,
    /// The definitions of tools that the operator has approved, with what is known of those that this caller is shown. The
    /// gateway adds them, once for each request.
    pub(crate) pins: Option<&'a Pins>,
}

impl<'a> Caller<'a> {
    /// A caller whose request may be passed on.
    #[must_use]
    pub const fn new(
        identity: &'a Identity,
        context: &'a RequestContext,
        runtime: &'a dyn Runtime,
        connections: Option<&'a dyn Connections>,
    ) -> Self {
        Self { identity, context, runtime, connections, pins: None }
    }

    /// Asks for a token of the upstream that is the caller's own. `refused` is one that the upstream has refused.
    ///
    /// # Errors
    /// Why there is none.
    #[must_use]
    pub fn access<'s>(
        self,
        connection: &'s str,
        refused: Option<&'s ServiceAccess>,
    ) -> LocalBoxFuture<'s, Result<ServiceAccess, NoAccess>>
    where
        'a: 's,
    {
        let request = TokenRequest { connection, scopes: &[], user_of_token: GATEWAY, refused };
        match self.connections {
            Some(connections) => connections.access(request),
            None => ready(Err(NoAccess::Misconfigured { cause: "there is no vault to ask".to_owned() })).boxed_local(),
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpstreamRequest<'a> {
    /// A message or a batch, as JSON; none in GET and DELETE.
    pub body: Option<&'a str>,
    /// Whether it ends the session (DELETE).
    pub ends_session: bool,
    /// The headers that repeat the body, with lower-case names.
    pub headers: &'a [(&'static str, &'a str)],
    /// The upstream's own id of the session.
    pub session: Option<&'a str>,
    /// Where a stream goes on.
    pub last_event_id: Option<&'a str>,
    /// Whether the gateway asks of its own accord: then nothing of the client's request goes with it.
    pub is_own: bool,
    /// The value of `Authorization` where it is the caller's own ([`Credentials::Connection`]).
    pub authorization: Option<&'a str>,
}

impl UpstreamRequest<'_> {
    /// Whether headers of the client may repeat arguments of it: those of tools, in the era that has such headers.
    fn has_parameters(&self) -> bool {
        !self.is_own && self.headers.contains(&("mcp-method", "tools/call"))
    }
}

impl<F: Forward, K: SigningKey> Upstream<F, K> {
    /// Creates an upstream from its settings. `forward` reaches it, `signing_key` makes the key of a private JWK.
    pub fn new(settings: UpstreamSettings, forward: F, signing_key: impl FnOnce(Secret) -> K) -> Self {
        let signer = match &settings.credentials {
            Credentials::Assertion(assertion) => {
                Some((signing_key(assertion.key.jwk().clone()), assertion.beginning()))
            }
            Credentials::Secret { .. } | Credentials::Connection(_) | Credentials::None => None,
        };
        Self { settings, forward, signer, eras: Eras::default() }
    }

    /// How long it may take to begin a response, or to send one that has to be read as a whole.
    pub const fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// Whose accounts its tokens are of, if they are the callers' own.
    #[inline]
    pub fn connection(&self) -> Option<&ConnectionSettings> {
        match &self.settings.credentials {
            Credentials::Connection(connection) if HAS_CONNECTIONS => Some(connection),
            _ => None,
        }
    }

    /// The value of `Authorization` with a token of the caller's account.
    ///
    /// # Errors
    /// If the token is for another origin.
    pub fn authorization(&self, access: &ServiceAccess) -> Result<Secret, Failure> {
        let wrong = |cause| Failure::NoAccess(NoAccess::Misconfigured { cause });
        access.authorization_for(&self.settings.url).map_err(|error| wrong(error.to_string()))
    }

    /// Sends a message for a caller. The stream that comes back ends when the caller's token does.
    ///
    /// # Errors
    /// [`Failure`] if there is no response, or one that says that the gateway is at fault.
    pub async fn send(
        &self,
        caller: Caller<'_>,
        message: UpstreamRequest<'_>,
    ) -> Result<UpstreamResponse<F::Body>, Failure> {
        let Caller { identity, context, .. } = caller;
        let credentials = self.credentials(caller).await.map_err(Failure::Credentials)?;
        let mut headers = Vec::with_capacity(8);
        if HAS_CONNECTIONS {
            headers.extend(message.authorization.map(|authorization| ("authorization", authorization)));
        }
        if let Some((name, value)) = &credentials {
            headers.push((*name, value.as_ref()));
        }
        let method = match message.body {
            Some(_) => Method::POST,
            None if message.ends_session => Method::DELETE,
            None => Method::GET,
        };
        if method == Method::POST {
            headers.push(("content-type", "application/json"));
            headers.push(("accept", "application/json, text/event-stream"));
        } else if method == Method::GET {
            headers.push(("accept", "text/event-stream"));
        }
        headers.extend_from_slice(message.headers);
        headers.extend(message.session.map(|session| ("mcp-session-id", session)));
        headers.extend(message.last_event_id.map(|id| ("last-event-id", id)));
        let request = ForwardRequest {
            method,
            url: &self.settings.url,
            headers: &headers,
            body: message.body.map_or(ForwardContent::Empty, ForwardContent::Text),
            timeout: self.settings.timeout,
            response_headers: &RESPONSE_HEADERS,
            client_headers_prefix: message.has_parameters().then_some(PARAMETER_PREFIX),
            ends_after: Some(Duration::from_secs(end_of(identity, context.now).saturating_sub(context.now))),
        };
        Ok(self.forward.forward(context, request).await?)
    }

    /// The header that tells the upstream who is calling, or that the gateway is.
    async fn credentials(&self, caller: Caller<'_>) -> Result<Option<(&str, Cow<'_, str>)>, KeyError> {
        match (&self.settings.credentials, &self.signer) {
            (Credentials::Assertion(settings), Some((key, beginning))) => {
                let claims = settings.claims(caller.identity);
                let assertion = assertion(key, beginning, &claims, caller.context.now, caller.runtime).await?;
                Ok(Some(("authorization", Cow::Owned(["Bearer ", &assertion].concat()))))
            }
            (Credentials::Assertion(_), None) => Err(KeyError::Failed),
            (Credentials::Secret { header, value }, _) => Ok(Some((header, Cow::Borrowed(value.expose())))),
            (Credentials::Connection(_) | Credentials::None, _) => Ok(None),
        }
    }
}
