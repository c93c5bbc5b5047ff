//! Tokens of other services for the caller of a handler, and how the caller is asked to connect an account.
//!
//! A client that can show its user a link (`elicitation.url`, MCP 2026-07-28, client/elicitation) is asked to, and repeats the
//! request. Its "accept" says that the user opens the page, not that anything was done there: the handler then waits a
//! while for the account. All other clients get an error with the link.

use std::{fmt, rc::Rc, time::Duration};

use futures_util::future::FutureExt;
use mcp_edge_connections::{
    access::ServiceAccess,
    port::{Connections, NoAccess, TokenRequest, declined, once_connected, question},
};

use crate::{
    call::{Call, Context},
    client::Capability,
    input_required::inputs::{self, ElicitResult, InputRequired},
    primitives::{
        connection::DeclaredConnection,
        error::{Failure, PromptError, ResourceError, ToolError},
        required::RequiredConnection,
    },
    stream::within,
};
use mcp_edge_protocol::revision::Era;

/// How long a handler waits for an account after the user has opened the page, and at most half of the time that it has.
const WAIT: Duration = Duration::from_secs(20);

/// How often it looks.
const POLL: Duration = Duration::from_secs(2);

/// There is no token of another service. Meant to leave the handler through `?`: the caller then gets the link to connect an
/// account, or reads why that would not help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessError {
    connection: String,
    why: Why,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    /// The client is asked to show the link to its user.
    InputRequired(InputRequired),
    /// The user has refused to open the page, or closed the question.
    Declined {
        title: String,
    },
    NoAccess(NoAccess),
    /// The handler asks for what it does not declare, or the endpoint has no connections.
    Misuse(&'static str),
}

impl AccessError {
    /// The name of the connection.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// Whether the user has not connected an account, for handlers that can do without. A handler that goes on to its result
    /// shows no link. If it asks the client something else instead ([questions](Call#asking-back)), the link is shown along
    /// with that.
    #[must_use]
    pub fn is_not_connected(&self) -> bool {
        match &self.why {
            Why::InputRequired(question) => question.is_outstanding(),
            Why::Declined { .. } | Why::NoAccess(NoAccess::NotConnected { .. }) => true,
            Why::NoAccess(_) | Why::Misuse(_) => false,
        }
    }

    fn into_failure(self) -> Failure {
        let Self { connection, why } = self;
        match why {
            Why::InputRequired(InputRequired(cause)) => Failure::InputRequired(cause),
            Why::Declined { title } => Failure::Visible(declined(&title).into()),
            Why::NoAccess(NoAccess::Misconfigured { cause }) => {
                Failure::Internal(["connection ", &connection, ": ", &cause].concat())
            }
            Why::NoAccess(refusal) => Failure::Visible(refusal.message(&connection).into()),
            Why::Misuse(problem) => Failure::Internal(["connection ", &connection, ": ", problem].concat()),
        }
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().into_failure().fmt(formatter)
    }
}

impl std::error::Error for AccessError {}

/// What makes `?` work on [`Call::access`].
macro_rules! conversions {
    ($($error:ident),*) => { $(
        impl From<AccessError> for $error {
            fn from(error: AccessError) -> Self {
                Self(error.into_failure())
            }
        }
    )* };
}
conversions!(ToolError, ResourceError, PromptError);

impl<E> Call<E> {
    /// A token of another service for the caller: of the account that the user has connected, or of what else the operator
    /// has set for this connection. What the handler is registered with declares it:
    /// [`Tool::connection`](crate::Tool::connection).
    ///
    /// ```
    /// use mcp_edge_server::{Call, Tool, ToolError};
    ///
    /// async fn issues(call: Call) -> Result<String, ToolError> {
    ///     let github = call.access("github").await?;
    ///     let authorization = github.authorization_for("https://api.github.com/issues").map_err(ToolError::internal)?;
    ///     // Sent as `Authorization`; the token goes into no result.
    ///     Ok(format!("{} characters", authorization.expose().len()))
    /// }
    ///
    /// let tool: Tool = Tool::new("issues", issues).description("Lists issues.").connection("github", ["repo:read"]);
    /// ```
    ///
    /// Ask before the first effect: without an account the handler is left through `?` and runs again from its start once
    /// there is one, as with [questions](Call#asking-back). Nothing is kept between calls, so that an account that the user
    /// disconnects is out of use at once.
    ///
    /// # Errors
    /// If there is no account, or no token for it.
    pub async fn access(&self, connection: &str) -> Result<ServiceAccess, AccessError> {
        self.context().access(connection, None).await
    }

    /// Another token, after the service has answered `refused` with 401. Once: if it refuses this one as well, the fault is
    /// another.
    ///
    /// # Errors
    /// As [`Call::access`].
    pub async fn access_anew(&self, refused: &ServiceAccess) -> Result<ServiceAccess, AccessError> {
        self.context().access(&refused.connection, Some(refused)).await
    }
}

/// What a handler asks for; owned, since waiting takes a future without borrows.
struct Asked {
    connections: Rc<dyn Connections>,
    user_of_token: &'static str,
    needed: &'static RequiredConnection,
    refused: Option<ServiceAccess>,
}

impl Asked {
    async fn token(&self) -> Result<ServiceAccess, NoAccess> {
        let Self { connections, user_of_token, needed: RequiredConnection { name, scopes, .. }, refused } = self;
        connections.access(TokenRequest { connection: name, scopes, user_of_token, refused: refused.as_ref() }).await
    }
}

impl Context {
    async fn access(&self, name: &str, refused: Option<&ServiceAccess>) -> Result<ServiceAccess, AccessError> {
        let fail = |why| AccessError { connection: name.to_owned(), why };
        let Some(DeclaredConnection { connections, needed, user_of_token, time }) = self.access.find(name) else {
            return Err(fail(Why::Misuse("add `.connection(…)` to what the handler is registered with")));
        };
        let Some(connections) = connections else {
            return Err(fail(Why::Misuse("the endpoint has no connections")));
        };
        let asked = Asked { connections, user_of_token, needed, refused: refused.cloned() };
        let refusal = match asked.token().await {
            Ok(access) => return Ok(access),
            Err(NoAccess::NotConnected { title, url: Some(url) }) if self.can_show_links() => {
                let key = ["connect:", name].concat();
                let action = self.ask_to_connect(&key, &title, &url).map_err(|why| fail(Why::InputRequired(why)))?;
                let ElicitResult::Accepted(_) = action else { return Err(fail(Why::Declined { title })) };
                match self.wait_for(asked, time).await {
                    Some(Ok(access)) => {
                        // The answer has done its work. Otherwise a later question would carry it along, sealed.
                        self.inputs.borrow_mut().used.remove(&key);
                        return Ok(access);
                    }
                    Some(Err(refusal)) => refusal,
                    None => NoAccess::NotConnected { title, url: Some(url) },
                }
            }
            Err(refusal) => refusal,
        };
        if let NoAccess::Refused { cause, .. } | NoAccess::Unavailable { cause, .. } = &refusal {
            (self.services.report)(&[user_of_token, ": connection ", name, ": ", cause].concat());
        }
        Err(fail(Why::NoAccess(refusal)))
    }

    /// Waits until the user has connected an account; `None` if it takes too long.
    async fn wait_for(&self, asked: Asked, time: Duration) -> Option<Result<ServiceAccess, NoAccess>> {
        let runtime = Rc::clone(&self.services.runtime);
        let waiting = async move { once_connected(&*runtime, POLL, async || asked.token().await).await };
        within(WAIT.min(time / 2), &self.services.runtime, waiting.boxed_local()).await
    }

    /// Whether the client of this request can be asked to show its user a link.
    fn can_show_links(&self) -> bool {
        self.revision.era() == Era::Modern && self.capabilities.has(Capability::UrlElicitation)
    }

    /// What the user did with the link, or the question is put down.
    fn ask_to_connect(
        &self,
        key: &str,
        title: &str,
        url: &str,
    ) -> Result<ElicitResult<serde_json::Value>, InputRequired> {
        let answer = self.ask(key, &inputs::url(&question(title), url))?;
        inputs::read_action(key, answer)
    }
}
