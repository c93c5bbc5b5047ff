//! What tools and the gateway ask for tokens of other services.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use mcp_edge_runtime::ports::Runtime;

use crate::access::ServiceAccess;

/// Tokens of other services for one caller.
pub trait Connections {
    /// Gets a token.
    fn access<'a>(&'a self, request: TokenRequest<'a>) -> LocalBoxFuture<'a, Result<ServiceAccess, NoAccess>>;
}

/// What the gateway calls itself as what needs a token. No tool has a colon in its name.
pub const GATEWAY: &str = "gateway:";

/// What needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserOfToken<'a> {
    /// The tool of this name.
    Tool(&'a str),
    /// The prompt of this name.
    Prompt(&'a str),
    /// The resource of this name, or the template.
    Resource(&'a str),
    /// The gateway, for the server behind it.
    Gateway,
}

impl<'a> UserOfToken<'a> {
    /// Reads [`TokenRequest::user_of_token`]. What is none of the others is a tool.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            Some(("prompt", name)) => Self::Prompt(name),
            Some(("resource", name)) => Self::Resource(name),
            Some(_) if text == GATEWAY => Self::Gateway,
            _ => Self::Tool(text),
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// The name of the connection.
    pub connection: &'a str,
    /// The scopes that are needed, as the service calls them. Empty: any token of the connection will do.
    pub scopes: &'a [String],
    /// What needs the token: the name of a tool, `prompt:` or `resource:` with a name, or [`GATEWAY`]. Users read when it was used by what.
    pub user_of_token: &'a str,
    /// The service has refused this token (401) although it was given out as a good one: another is needed.
    pub refused: Option<&'a ServiceAccess>,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAccess {
    /// The user has not connected an account of the service, not with these scopes, or the connection has ended.
    NotConnected {
        /// What users call the service.
        title: String,
        /// Where the user connects one; `None` if that is not done here. It is the same for repeated requests of a caller
        /// within some minutes, and useless to anybody but this user.
        url: Option<String>,
    },
    /// The service or the provider refuses it for this user, and connecting would not help.
    Refused {
        /// What users call the service.
        title: String,
        /// Why, for the operator's log; without secrets.
        cause: String,
    },
    /// The caller is no user, and only users have connections of this kind.
    NeedsUser,
    /// The caller's own credential is not good (any more): it is to be refused as at the endpoint.
    CallerRefused,
    /// The settings, or what a tool declares, are wrong.
    Misconfigured {
        /// Which, for the operator's log.
        cause: String,
    },
    /// It cannot be said now.
    Unavailable {
        /// What users call the service, if known.
        title: String,
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
        /// Why, for the operator's log; without secrets.
        cause: String,
    },
}

/// What a client that can show links is to ask its user, for an account of the service `title`.
#[must_use]
pub fn question(title: &str) -> String {
    ["This needs an account of yours at ", title, ". Open the page to connect it."].concat()
}

/// What the caller reads if the user does not want to open the page.
#[must_use]
pub fn declined(title: &str) -> String {
    ["The user does not want to connect an account of ", title, "."].concat()
}

/// Asks again after each `pause`, while there is no account, or the answer is not known.
///
/// # Errors
/// What waiting does not help with.
pub async fn once_connected(
    runtime: &dyn Runtime,
    pause: Duration,
    ask: impl AsyncFn() -> Result<ServiceAccess, NoAccess>,
) -> Result<ServiceAccess, NoAccess> {
    loop {
        runtime.sleep(pause).await;
        match ask().await {
            Err(NoAccess::NotConnected { .. } | NoAccess::Unavailable { .. }) => {}
            answer => return answer,
        }
    }
}

impl NoAccess {
    /// What the caller reads, and a model can pass on to its user: what is missing, and what to do. `connection` is named
    /// where the title of the service is not known. No cause is in it.
    #[must_use]
    pub fn message(&self, connection: &str) -> String {
        let named = |title: &str| if title.is_empty() { connection.to_owned() } else { title.to_owned() };
        match self {
            Self::NotConnected { title, url: Some(url) } => [
                "The user has not connected an account of ",
                &named(title),
                " yet, or not with the access that this needs. Show the user this link, which works in their browser and for \
                 them alone, and ask them to connect the account there. Then repeat the call.\n",
                url,
            ]
            .concat(),
            Self::NotConnected { title, url: None } => [
                "The user has not connected an account of ",
                &named(title),
                " yet, or not with the access that this needs. Ask them to connect it in the settings of the account that they \
                 sign in with here. Then repeat the call.",
            ]
            .concat(),
            Self::Refused { title, .. } => {
                [&named(title), " refuses this for the user. Connecting an account again does not help."].concat()
            }
            Self::NeedsUser => {
                ["This uses the account of a user at ", connection, ", and the caller is no user."].concat()
            }
            Self::CallerRefused => ["The credential of this request is not accepted for ", connection, ". Sign in again."].concat(),
            Self::Misconfigured { .. } => ["The connection ", connection, " is not set up correctly."].concat(),
            Self::Unavailable { title, retry_after, .. } => [
                &named(title),
                " cannot be reached at the moment. Nothing is lost. Try again in ",
                &retry_after.to_string(),
                " seconds.",
            ]
            .concat(),
        }
    }

    /// What the operator is to know of it, for the log; `None` if there is nothing to do about it.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Refused { cause, .. } | Self::Misconfigured { cause } | Self::Unavailable { cause, .. } => {
                Some(cause)
            }
            Self::NotConnected { .. } | Self::NeedsUser | Self::CallerRefused => None,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_reads_what_to_do_and_never_the_cause() {
        let url = "https://mcp.example.com/account/connect/x";
        let (title, cause) = ("GitHub".to_owned(), "cause".to_owned());
        for (refusal, expected) in [
            (NoAccess::NotConnected { title: title.clone(), url: Some(url.to_owned()) }, url),
            (NoAccess::NotConnected { title: title.clone(), url: None }, "settings of the account"),
            (NoAccess::Refused { title: title.clone(), cause: cause.clone() }, "GitHub refuses"),
            (NoAccess::NeedsUser, "user at github"),
            (NoAccess::CallerRefused, "Sign in again"),
            (NoAccess::Misconfigured { cause: cause.clone() }, "connection github"),
            (NoAccess::Unavailable { title, retry_after: 7, cause: cause.clone() }, "in 7 seconds"),
            (NoAccess::Unavailable { title: String::new(), retry_after: 7, cause }, "github cannot be reached"),
        ] {
            let message = refusal.message("github");
            assert!(message.contains(expected) && !message.contains("cause"), "{message}");
            let has_cause =
                !matches!(refusal, NoAccess::NotConnected { .. } | NoAccess::NeedsUser | NoAccess::CallerRefused);
            assert_eq!(refusal.cause(), has_cause.then_some("cause"));
        }
    }
}
