//! Why an attempt to connect an account has led nowhere, and what the page says of it. Nothing was connected in any of these
//! cases.

use mcp_edge_sign_in::authorization::{AuthorizationError, Refusal};

use crate::{
    connected::message::Answer,
    pages::message::Failure,
    platform::ObjectError,
    service::ServiceError,
    sign_in::{
        destination::{Destination, link_path},
        pending::TooLong,
    },
    visit::{Outcome, Visit},
};

/// When it makes sense to try again after an outage, in seconds.
const RETRY_SECONDS: u64 = 10;

/// Why an attempt has led nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The service's answer to the authorization request.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// The state of the answer is one of another connection, or of no connection.
    #[error("the answer came to the address of another connection")]
    AnotherConnection,
    /// The service has not done what it was asked for.
    #[error("service: {0}")]
    Service(#[from] ServiceError),
    /// The service does not say whose account it is, although it can.
    #[error("the account could not be named: {0}")]
    NoName(ServiceError),
    /// The session here has ended meanwhile.
    #[error("the session has ended")]
    SignedOut,
    /// Another user than the one who began has signed in here.
    #[error("another user has signed in")]
    AnotherUser,
    /// The authorization was used already.
    #[error("the authorization was used already")]
    Used,
    /// There is nothing that waits for confirmation, or it is something else.
    #[error("nothing waits for this confirmation")]
    NothingHeld,
    /// What is known of the attempt does not fit into a cookie.
    #[error("the scopes of the connection, or the name of the client, are too long for a cookie")]
    TooLong,
    /// An object of the vault could not be asked.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// An object of the vault could not do what it was asked for.
    #[error("{cause}")]
    Unavailable {
        /// When to try again, in seconds.
        retry_after: u64,
        /// Why, for the operator.
        cause: String,
    },
}

impl From<TooLong> for ConnectError {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}

impl ConnectError {
    /// What the page says. `title` is what users call the service; `link` is the id of the link that led there.
    #[must_use]
    pub fn to_failure(&self, title: &str, link: Option<&str>) -> Failure {
        let failure = self.explained(title);
        let again = link.map_or_else(|| Destination::Connections.path(), link_path);
        match self {
            Self::SignedOut => {
                let destination = link.map_or(Destination::Connections, |id| Destination::Link(id.to_owned()));
                failure.with_next("Sign in", destination.sign_in_path())
            }
            // Starting again would not help.
            Self::AnotherUser
            | Self::NothingHeld
            | Self::Used
            | Self::TooLong
            | Self::Service(ServiceError::ForeignEndpoint(_) | ServiceError::Client(_)) => failure,
            _ => failure.with_next("Start again", again),
        }
    }

    /// Whether the user has cancelled at the service.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Authorization(AuthorizationError::Refused { refusal: Refusal::Cancelled, .. }))
    }

    fn explained(&self, title: &str) -> Failure {
        match self {
            Self::Authorization(error) => of_authorization(error, title),
            Self::AnotherConnection => new(
                400,
                "Not an answer to this request",
                format!("What came back belongs to another request than one to {title}. Nothing was connected."),
            ),
            Self::Service(error) | Self::NoName(error) => of_service(error, title),
            Self::SignedOut => new(
                403,
                "Signed out meanwhile",
                format!(
                    "Your session here ended before you came back from {title}, so nothing was connected. Sign in and start \
                     again."
                ),
            ),
            Self::AnotherUser => new(
                403,
                "Another user has signed in",
                format!(
                    "The one who came back from {title} is not signed in here as the one who began, so nothing was connected \
                     for either. Sign out here, sign in as the one whose account it is to be, and start again."
                ),
            ),
            Self::Used => new(
                409,
                "Done already",
                format!(
                    "This answer of {title} was used before, and connects nothing again. Look at your connected accounts: if \
                     the account is not among them, start again."
                ),
            ),
            Self::NothingHeld => new(
                409,
                "Nothing to confirm",
                format!(
                    "No account of {title} waits for this confirmation: it was confirmed or given back already, another tab \
                     has begun with another one, or more than ten minutes have passed. Look at your connected accounts: if the \
                     account is not among them, start again."
                ),
            ),
            Self::TooLong => misconfigured("What this connection asks for is too long"),
            Self::Object(_) => unavailable(RETRY_SECONDS),
            Self::Unavailable { retry_after, .. } => unavailable(*retry_after),
        }
    }
}

/// An answer of the object of connected accounts that is one.
///
/// # Errors
/// [`ConnectError`]: there is none, or it says that it cannot be said now.
pub fn answered(answer: Result<Answer, ObjectError>) -> Result<Answer, ConnectError> {
    match answer? {
        Answer::Unavailable { retry_after, cause } => Err(ConnectError::Unavailable { retry_after, cause }),
        answer => Ok(answer),
    }
}

/// An answer of the object that is none to the question.
#[must_use]
pub fn unexpected() -> ConnectError {
    let cause = "the object of connected accounts answered something else".to_owned();
    ConnectError::Unavailable { retry_after: RETRY_SECONDS, cause }
}

/// The page for an attempt that has led nowhere.
#[must_use]
pub fn failed<P>(visit: &Visit<'_, P>, error: &ConnectError, title: &str, link: Option<&str>) -> Outcome {
    let page = visit.pages.failure(visit.session.as_ref(), &error.to_failure(title, link));
    Outcome::from(page).because(error.to_string())
}

fn new(status: u16, what: &'static str, why: impl Into<String>) -> Failure {
    Failure::of_connections(status, what, why)
}

fn of_authorization(error: &AuthorizationError, title: &str) -> Failure {
    match error {
        AuthorizationError::NotBegunHere => new(
            400,
            "Begun elsewhere, or too long ago",
            "This was not begun in this browser, or more than ten minutes ago, or it is finished already. Nothing was \
             connected by opening this page. Look at your connected accounts: if the account is not among them, start again.",
        ),
        AuthorizationError::AnotherProvider => new(
            400,
            "Not an answer of the service",
            format!("The answer did not come from {title}. Nothing was connected."),
        ),
        AuthorizationError::Refused { refusal: Refusal::Cancelled, .. } => new(
            403,
            "Cancelled",
            format!(
                "You did not agree at {title}, so nothing was connected and no program has access. You can close this page."
            ),
        ),
        AuthorizationError::Refused { refusal: Refusal::Outage, .. } => outage(title),
        AuthorizationError::Refused { refusal: Refusal::Other, .. } => new(
            403,
            "Refused by the service",
            format!(
                "{title} refused the request, so nothing was connected. Perhaps your account there may not do this; otherwise \
                 the log of this server tells its operator more."
            ),
        ),
        AuthorizationError::NoEndpoint => misconfigured("The address of the service is not known"),
        AuthorizationError::NoCode | AuthorizationError::Duplicate(_) | AuthorizationError::LongCode(_) => {
            new(400, "Not connected", format!("The answer of {title} cannot be read. Nothing was connected."))
        }
    }
}

fn of_service(error: &ServiceError, title: &str) -> Failure {
    match error {
        ServiceError::Ended | ServiceError::AnotherService(_) | ServiceError::Superseded(_) => new(
            400,
            "Too late",
            format!("What {title} answered is too old, or was used before. Nothing was connected."),
        ),
        ServiceError::WiderScopes(_) => new(
            403,
            "More than asked for",
            format!(
                "{title} granted more than this server asked for, and more than you agreed to here. It was not accepted, and \
                 nothing was connected. Tell the operator of this server, whose log says more."
            ),
        ),
        ServiceError::ForeignEndpoint(_) | ServiceError::Client(_) => {
            misconfigured("This server is not set up correctly for the service")
        }
        ServiceError::Unavailable(_) => outage(title),
    }
}

fn outage(title: &str) -> Failure {
    let why = format!("{title} does not answer right now, so nothing was connected. Try again in a moment.");
    Failure::of_connections(503, "The service cannot be reached", why).with_retry(RETRY_SECONDS)
}

fn unavailable(retry_after: u64) -> Failure {
    let why = "Connected accounts cannot be read or changed right now. It is not known whether what you asked for was done: look \
               at your connected accounts in a moment, or try again.";
    Failure::of_connections(503, "Not now", why).with_retry(retry_after)
}

fn misconfigured(what: &str) -> Failure {
    let why =
        format!("{what}. Nothing was connected. Only the operator can change this; the log of this server says how.");
    Failure::of_connections(500, "Not set up", why)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_never_a_denial_and_our_own_trouble_never_the_users() {
        let refused = |refusal| AuthorizationError::Refused { refusal, error: "x".to_owned() };
        let object = ObjectError { object: "object", cause: "reset".to_owned() };
        let cases: [(ConnectError, u16, &str); 20] = [
            (refused(Refusal::Outage).into(), 503, "/account/connect/id"),
            (refused(Refusal::Cancelled).into(), 403, "/account/connect/id"),
            (refused(Refusal::Other).into(), 403, "/account/connect/id"),
            (AuthorizationError::NotBegunHere.into(), 400, "/account/connect/id"),
            (AuthorizationError::AnotherProvider.into(), 400, "/account/connect/id"),
            (AuthorizationError::NoCode.into(), 400, "/account/connect/id"),
            (ConnectError::AnotherConnection, 400, "/account/connect/id"),
            (ServiceError::Ended.into(), 400, "/account/connect/id"),
            (ServiceError::AnotherService("x".to_owned()).into(), 400, "/account/connect/id"),
            (ServiceError::WiderScopes("x".to_owned()).into(), 403, "/account/connect/id"),
            (ServiceError::Client("x".to_owned()).into(), 500, "/account/connections"),
            (ServiceError::ForeignEndpoint("x".to_owned()).into(), 500, "/account/connections"),
            (ServiceError::Unavailable("x".to_owned()).into(), 503, "/account/connect/id"),
            (ConnectError::NoName(ServiceError::Unavailable("x".to_owned())), 503, "/account/connect/id"),
            (ConnectError::SignedOut, 403, "/account/sign-in?connect=id"),
            (ConnectError::AnotherUser, 403, "/account/connections"),
            (ConnectError::Used, 409, "/account/connections"),
            (ConnectError::NothingHeld, 409, "/account/connections"),
            (ConnectError::TooLong, 500, "/account/connections"),
            (object.into(), 503, "/account/connect/id"),
        ];
        for (error, status, next) in cases {
            let failure = error.to_failure("GitHub", Some("id"));
            assert_eq!((failure.status, failure.next.1.as_ref()), (status, next), "{error}");
            assert_eq!(failure.retry_after.is_some(), status == 503, "{error}");
        }
        let unavailable = ConnectError::Unavailable { retry_after: 3, cause: "x".to_owned() };
        let failure = unavailable.to_failure("GitHub", None);
        assert_eq!((failure.retry_after, failure.next.1.as_ref()), (Some(3), "/account/connections"));
    }
}
