//! Round trips to the provider: signing in to `/account`, and the authorizations of keys.
//!
//! | module | what it contains |
//! |---|---|
//! | [`pending`] | round trips that are not finished, in cookies |
//! | [`destination`] | where a user goes on after signing in |
//! | [`redemption`] | the code for tokens, and who signed in |
//! | [`creation`] | from the provider's answer to a key |
//! | [`error`] | why one has led nowhere, and what the page says |
//!
//! Signing in says who somebody is and nothing more: `openid profile`, and an ID token. Each key has an authorization of its own,
//! with exactly its scopes, which its user confirms (`prompt=consent`) after a sign-in of the last minutes (`max_age`).

pub mod creation;
pub mod destination;
pub mod error;
pub mod pending;
pub mod redemption;

use mcp_edge_sign_in::{
    authorization::{self, AuthorizationError, AuthorizationRequest},
    cookie::{cookie, set_cookie},
    form::Form,
    id_token::IdToken,
    redirect::{redirect, with_query},
    session::Session,
};

use self::{
    destination::Destination,
    error::RoundTripError,
    pending::{Pending, PendingCookies, Purpose, TooLong},
    redemption::redeem,
};
use crate::{
    account::client::use_sign_in,
    pages::KEYS_PATH,
    platform::Platform,
    requested_key::RequestedKey,
    visit::{Outcome, Visit},
};

/// Set when the next sign-in must ask who it is, even if the provider still has a session: after signing out. Anybody who could
/// set it could at most have a password asked for, so it is not sealed.
const ASK_COOKIE: &str = "__Host-account-asks";

/// Longer than a session at the provider lasts (at Logto 14 days).
const ASK_SECONDS: u64 = 30 * 24 * 3_600;

/// The scopes of a sign-in.
const SIGN_IN_SCOPE: &str = "openid profile";

/// Sends the browser to the provider to sign in, and then on to the destination that the query names, if it names one. With
/// `prompt=login` the provider asks who it is, for users with several accounts.
pub async fn begin<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let is_another = Form::parse(visit.head.query()).first("prompt") == "login";
    let prompt = (is_another || cookie(visit.head, ASK_COOKIE).is_some()).then_some("login");
    let request = AuthorizationRequest { scope: SIGN_IN_SCOPE, prompt, ..AuthorizationRequest::default() };
    let purpose = Destination::of(visit.head.query()).map_or(Purpose::SignIn, Purpose::SignInFor);
    match send(visit, &request, purpose).await {
        Ok((url, Ok(cookie))) => Outcome::from(redirect(&url)).with_cookie(cookie),
        Ok((_, Err(TooLong))) => failed(visit, &RoundTripError::NotMade),
        Err(error) => failed(visit, &error),
    }
}

/// Sends the browser to the provider for a key.
///
/// # Errors
/// [`TooLong`]: the key has too many tools.
pub async fn begin_key<P: Platform>(
    visit: &Visit<'_, P>,
    key: &RequestedKey,
    purpose: Purpose,
) -> Result<Outcome, TooLong> {
    let settings = &visit.deployment.settings;
    let scope = format!("openid offline_access {}", requested_scopes(visit, key));
    let request = AuthorizationRequest {
        scope: &scope,
        resource: Some(&settings.server.resource.url),
        prompt: Some("consent"),
        max_age: Some(settings.sign_in_max_age),
        ..AuthorizationRequest::default()
    };
    let (url, cookie) = match send(visit, &request, purpose).await {
        Ok((url, cookie)) => (url, cookie?),
        Err(error) => return Ok(failed(visit, &error)),
    };
    let text =
        "It knows what the key may do, and may ask you to sign in or to agree. The key is shown when you come back.";
    let page = visit.pages.leaving(visit.session.as_ref(), "Confirm the key", text, &url);
    Ok(Outcome::from(page).with_cookie(cookie))
}

/// The scopes of a key as the provider calls them.
fn requested_scopes<P: Platform>(visit: &Visit<'_, P>, key: &RequestedKey) -> String {
    let prefix = &visit.deployment.settings.server.trust.scope_prefix;
    let names: Vec<String> =
        key.scopes.split_ascii_whitespace().map(|scope| prefix.before(scope).to_owned() + scope).collect();
    names.join(" ")
}

/// Begins a round trip: the URL to send the browser to, and its cookie.
async fn send<P: Platform>(
    visit: &Visit<'_, P>,
    request: &AuthorizationRequest<'_>,
    purpose: Purpose,
) -> Result<(String, Result<String, TooLong>), RoundTripError> {
    let (deployment, services) = (visit.deployment, visit.deployment.platform.services());
    let provider = deployment.provider(visit.now).await?;
    let (url, round_trip) = authorization::begin(&deployment.settings.client, &provider, request, services)?;
    let cookie = visit.pending.begun(&Pending { round_trip, purpose }, visit.now, services);
    Ok((url, cookie))
}

/// Takes the browser back from the provider.
pub async fn finish<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let state = authorization::state_of(visit.head);
    let pending = visit.pending.read(visit.head, &state, visit.now);
    let destination = match pending.as_ref().map(|pending| &pending.purpose) {
        Some(Purpose::SignInFor(destination)) => Some(destination.clone()),
        _ => None,
    };
    let outcome = match (finish_pending(visit, pending).await, destination) {
        (Ok(outcome), _) => outcome,
        (Err(error), None) => failed(visit, &error),
        (Err(error), Some(destination)) => {
            let failure = error.to_failure().with_next("Back", destination.path());
            Outcome::from(visit.pages.failure(visit.session.as_ref(), &failure)).because(error.to_string())
        }
    };
    // It is over in any case.
    match PendingCookies::ended(&state) {
        Some(cookie) => outcome.with_cookie(cookie),
        None => outcome,
    }
}

async fn finish_pending<P: Platform>(
    visit: &Visit<'_, P>,
    pending: Option<Pending>,
) -> Result<Outcome, RoundTripError> {
    let (issuer, _) = visit.deployment.issuer(visit.now)?;
    let round_trip = pending.as_ref().map(|pending| &pending.round_trip);
    let code = authorization::finish(visit.head, round_trip, &issuer.issuer)?;
    let Pending { round_trip, purpose } = pending.ok_or(AuthorizationError::NotBegunHere)?;
    let home = match &purpose {
        Purpose::SignInFor(destination) => destination.path(),
        _ => KEYS_PATH.to_owned(),
    };
    match purpose {
        Purpose::SignIn | Purpose::SignInFor(_) => {
            // A code that is redeemed twice ends the grant that the provider has for this browser, and with it the keys that
            // were made here. Reloading this page must not do that.
            if !use_sign_in(&visit.deployment.platform, &round_trip.state).await? {
                return Ok(Outcome::from(redirect(&home)));
            }
            let (_, id_token) = redeem(visit, &code, &round_trip, None).await?;
            let IdToken { issuer, subject, name, .. } = id_token;
            let name = name.unwrap_or_else(|| subject.clone());
            let services = visit.deployment.platform.services();
            let session = Session::new(issuer, subject, name, services);
            let begun = visit.sessions.begun(&session, visit.now, services);
            let asks_no_more = set_cookie(ASK_COOKIE, "", 0);
            let mut outcome = Outcome::from(redirect(&home)).with_cookie(begun).with_cookie(asks_no_more);
            outcome.subject = Some(session.subject);
            Ok(outcome)
        }
        Purpose::Create { owner, key } => creation::make(visit, &code, &round_trip, &owner, &key, None).await,
        Purpose::Rotate { owner, key, old } => {
            creation::make(visit, &code, &round_trip, &owner, &key, Some(&old)).await
        }
        // What was sent to a service comes back to the address of its connection: this is an answer of another server.
        Purpose::Connect(_) => Err(AuthorizationError::NotBegunHere.into()),
    }
}

/// Ends the session here, then at the provider, and has the next sign-in ask in any case: the provider may not offer to sign out.
pub async fn sign_out<P: Platform>(visit: &Visit<'_, P>) -> Outcome {
    let provider = visit.deployment.provider(visit.now).await.ok();
    let response = match provider.and_then(|provider| provider.end_session_endpoint) {
        Some(endpoint) => {
            let settings = &visit.deployment.settings;
            let home = format!("{}/account", settings.server.resource.origin);
            let parameters = [("client_id", settings.client.client_id.as_str()), ("post_logout_redirect_uri", &home)];
            let url = with_query(&endpoint, &parameters);
            visit.pages.leaving(None, "Signed out here", "Your session at the provider ends next.", &url)
        }
        None => redirect(KEYS_PATH),
    };
    Outcome::from(response).with_cookie(visit.sessions.cleared()).with_cookie(set_cookie(ASK_COOKIE, "1", ASK_SECONDS))
}

/// The page for a round trip that has led nowhere.
fn failed<P>(visit: &Visit<'_, P>, error: &RoundTripError) -> Outcome {
    let page = visit.pages.failure(visit.session.as_ref(), &error.to_failure());
    Outcome::from(page).because(error.to_string())
}
