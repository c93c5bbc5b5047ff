//! Why a round trip to the provider has not led to what the user wanted, and what the page says of it.

use std::rc::Rc;

use mcp_edge_oauth::denial::Denial;
use mcp_edge_sign_in::{
    authorization::{AuthorizationError, Refusal},
    id_token::IdTokenError,
    tokens::{Remedy, TokenRequestError},
};

use crate::{pages::message::Failure, platform::ObjectError};

/// When it makes sense to try again after an outage, in seconds.
const RETRY_SECONDS: u64 = 10;

/// Why a round trip has led nowhere. No key was made.
#[derive(Debug, thiserror::Error)]
pub enum RoundTripError {
    /// The answer of the authorization endpoint.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// The token request.
    #[error("token request: {0}")]
    Tokens(#[from] TokenRequestError),
    /// The ID token.
    #[error("ID token: {0}")]
    IdToken(#[from] IdTokenError),
    /// The provider's endpoints or keys are not known.
    #[error("{}: {}", .0.reason().slug(), .0.detail().unwrap_or_default())]
    Provider(Denial),
    /// The endpoint would refuse the access token.
    #[error("access token: {}: {}", .0.reason().slug(), .0.detail().unwrap_or_default())]
    AccessToken(Rc<Denial>),
    /// The session here has ended meanwhile.
    #[error("the session has ended")]
    SignedOut,
    /// Another user than the one who began has signed in, here or at the provider.
    #[error("another user has signed in")]
    AnotherUser,
    /// The authorization was used already.
    #[error("the authorization was used already")]
    Used,
    /// The key that was to be replaced works no longer.
    #[error("the key that was to be replaced works no longer")]
    NothingToReplace,
    /// The user has as many keys as they may.
    #[error("the user has as many keys as allowed")]
    Full,
    /// The provider granted less than the key needs.
    #[error("the provider granted no {missing:?}")]
    FewerScopes {
        /// The scopes that are missing, separated by spaces.
        missing: String,
    },
    /// The access token was issued to another client, or to a machine.
    #[error("the access token is not one of a user for VAULT_CLIENT_ID (client {client_id:?})")]
    NotOurs {
        /// The client that it names.
        client_id: Option<String>,
    },
    /// There is no refresh token.
    #[error("the provider issued no refresh token to VAULT_CLIENT_ID")]
    NoRefreshToken,
    /// An object of the vault could not be asked.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The object of the key made no key.
    #[error("the object of the key did not make it")]
    NotMade,
}

impl From<Denial> for RoundTripError {
    fn from(denial: Denial) -> Self {
        Self::Provider(denial)
    }
}

impl RoundTripError {
    /// What the page says.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        let new = Failure::new;
        match self {
            Self::Authorization(error) => of_authorization(error),
            Self::Tokens(error) => of_token_request(error),
            Self::IdToken(IdTokenError::TooOld { auth_time: None }) => {
                misconfigured("The provider does not say when you signed in")
            }
            Self::IdToken(IdTokenError::TooOld { auth_time: Some(_) }) => new(
                403,
                "Sign in once more",
                "Making a key needs a sign-in of the last few minutes, and the one at the provider is older. No key was \
                 made. Sign out there, or close the browser, and try again.",
            ),
            Self::IdToken(IdTokenError::Denied(denial)) | Self::Provider(denial) => of_denial(denial),
            Self::IdToken(IdTokenError::Missing) => misconfigured("The provider did not say who signed in"),
            Self::IdToken(IdTokenError::Audience | IdTokenError::Nonce | IdTokenError::NotAnIdToken { .. }) => new(
                400,
                "Not signed in",
                "The provider's answer belongs to another request. Nothing was done. Try again.",
            ),
            Self::AccessToken(denial) => match &**denial {
                Denial::InsufficientScope { .. } => fewer_scopes("what every request here needs"),
                other => of_denial(other),
            },
            Self::SignedOut => new(
                403,
                "Signed out meanwhile",
                "Your session here ended before you came back, so no key was made. Sign in and repeat it.",
            )
            .with_next("Sign in", "/account/sign-in"),
            Self::AnotherUser => new(
                403,
                "Another user has signed in",
                "The one who came back from the provider is not the one who began, so no key was made for either. Sign out \
                 here, sign in as the one whose key it is to be, and repeat it.",
            ),
            Self::Used => new(
                409,
                "Done already",
                "This authorization was used before, and makes no second key. If the page with your key was lost, revoke that \
                 key and make another.",
            ),
            Self::NothingToReplace => new(
                409,
                "Nothing to replace",
                "The key that was to be replaced works no longer: perhaps it was replaced or revoked in another tab. No key was \
                 made. Look at your keys, and make a new one if you need it.",
            ),
            Self::Full => new(
                403,
                "Too many keys",
                "You have as many keys as you may have, so no key was made. Revoke one that you do not need, or replace one.",
            ),
            Self::FewerScopes { missing } => fewer_scopes(missing),
            Self::NotOurs { .. } => misconfigured("The provider's answer is not one for this server"),
            Self::NoRefreshToken => misconfigured(
                "The provider gave no refresh token, without which a key cannot work: the operator must allow offline access \
                 for the vault's client",
            ),
            Self::Object(_) | Self::NotMade => {
                new(503, "Not now", "This cannot be done right now. Nothing was done. Try again in a moment.")
                    .with_retry(RETRY_SECONDS)
            }
        }
    }
}

fn of_authorization(error: &AuthorizationError) -> Failure {
    let new = Failure::new;
    match error {
        AuthorizationError::NotBegunHere => new(
            400,
            "Begun elsewhere, or too long ago",
            "This was not begun in this browser, or more than ten minutes ago, or it is finished already: a page with a key is \
             shown once. Look at your keys; if one was made that you have not copied, revoke it and make another.",
        ),
        AuthorizationError::AnotherProvider => new(
            400,
            "Not signed in",
            "The answer came from another provider than was asked. Nothing was done. Try again.",
        ),
        AuthorizationError::Refused { refusal: Refusal::Cancelled, .. } => {
            new(403, "Cancelled", "You did not agree at the provider, so nothing was done.")
        }
        AuthorizationError::Refused { refusal: Refusal::Outage, .. } | AuthorizationError::NoEndpoint => outage(),
        AuthorizationError::Refused { refusal: Refusal::Other, .. } => new(
            403,
            "Refused by the provider",
            "The provider refused the request, so nothing was done. The operator's log says more.",
        ),
        AuthorizationError::NoCode | AuthorizationError::Duplicate(_) | AuthorizationError::LongCode(_) => {
            new(400, "Not signed in", "The provider's answer cannot be read. Nothing was done. Try again.")
        }
    }
}

/// Only `invalid_grant` is about the code; everything else of OAuth's is about the vault's own client.
fn of_token_request(error: &TokenRequestError) -> Failure {
    match error.remedy() {
        Remedy::AuthorizeAgain => Failure::new(
            400,
            "Too late",
            "The provider's answer is too old, or was used before. Nothing was done. Try again.",
        ),
        Remedy::TryAgain => outage(),
        Remedy::FixClient => misconfigured("The provider does not accept this server as its client"),
    }
}

fn of_denial(denial: &Denial) -> Failure {
    match denial.reason().to_public().status {
        503 => outage(),
        500 => misconfigured("This server is not set up correctly"),
        _ => misconfigured("The provider's answer could not be used"),
    }
}

fn outage() -> Failure {
    Failure::new(
        503,
        "The provider cannot be reached",
        "It does not answer right now, so nothing was done. Try again in a moment.",
    )
    .with_retry(RETRY_SECONDS)
}

fn misconfigured(what: &str) -> Failure {
    let why = format!("{what}. Nothing was done. Only the operator can change this; the log of this server says how.");
    Failure::new(500, "Not set up", why)
}

fn fewer_scopes(missing: &str) -> Failure {
    let why = format!(
        "The provider did not grant {missing}, so nothing was done. Either you did not agree to it, or your account lacks the \
         permission: ask the operator for a role that has it, or make a key with fewer scopes."
    );
    Failure::new(403, "Fewer scopes than asked for", why)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_oauth::token_endpoint::TokenEndpointError;
    use mcp_edge_runtime::ports::FetchError;

    use super::*;

    #[test]
    fn an_outage_is_never_a_denial_and_our_own_trouble_never_the_users() {
        let token = |error| RoundTripError::from(TokenRequestError::Refused(error));
        let refused = |refusal| RoundTripError::from(AuthorizationError::Refused { refusal, error: "x".to_owned() });
        for (error, status) in [
            (refused(Refusal::Outage), 503),
            (TokenRequestError::NoAnswer(FetchError::Network("reset".to_owned())).into(), 503),
            (token(TokenEndpointError::Outage(502)), 503),
            (RoundTripError::NotMade, 503),
            (token(TokenEndpointError::Client), 500),
            (token(TokenEndpointError::SecretExpired), 500),
            (token(TokenEndpointError::Target), 500),
            (RoundTripError::NoRefreshToken, 500),
            (RoundTripError::NotOurs { client_id: None }, 500),
            (IdTokenError::Missing.into(), 500),
            (token(TokenEndpointError::Grant), 400),
            (AuthorizationError::NotBegunHere.into(), 400),
            (IdTokenError::Nonce.into(), 400),
            (refused(Refusal::Cancelled), 403),
            (refused(Refusal::Other), 403),
            (IdTokenError::TooOld { auth_time: Some(0) }.into(), 403),
            (IdTokenError::TooOld { auth_time: None }.into(), 500),
            (RoundTripError::AnotherUser, 403),
            (RoundTripError::Full, 403),
            (RoundTripError::FewerScopes { missing: "notes:write".to_owned() }, 403),
            (RoundTripError::Used, 409),
            (RoundTripError::NothingToReplace, 409),
            (Denial::Misconfigured { error: None }.into(), 500),
        ] {
            let failure = error.to_failure();
            assert_eq!(failure.status, status, "{error}");
            assert_eq!(failure.retry_after.is_some(), status == 503, "{error}");
        }
    }
}
