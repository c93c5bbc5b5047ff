//! The code of a round trip for tokens, and who signed in.

use mcp_edge_sign_in::{
    authorization::{Code, RoundTrip},
    id_token::{self, Expected, IdToken, IdTokenError},
    tokens::{self, Tokens},
};

use super::error::RoundTripError;
use crate::{platform::Platform, visit::Visit};

/// Redeems a code and verifies the ID token. With a resource it is for a key, so that the sign-in must be a recent one.
///
/// # Errors
/// [`RoundTripError`].
pub async fn redeem<P: Platform>(
    visit: &Visit<'_, P>,
    code: &Code,
    round_trip: &RoundTrip,
    resource: Option<&str>,
) -> Result<(Tokens, IdToken), RoundTripError> {
    let (deployment, services) = (visit.deployment, visit.deployment.platform.services());
    let settings = &deployment.settings;
    let provider = deployment.provider(visit.now).await?;
    let tokens = tokens::redeem(&provider, &settings.client, code, &round_trip.verifier, resource, services).await?;
    let (issuer, keys) = deployment.issuer(visit.now)?;
    let expected = Expected {
        issuer,
        denied: &settings.server.trust.denied,
        client_id: &settings.client.client_id,
        nonce: &round_trip.nonce,
        max_age: resource.map(|_| settings.sign_in_max_age),
    };
    let id_token = tokens.id_token.as_ref().ok_or(IdTokenError::Missing)?;
    let id_token = id_token::verify(id_token, &expected, keys, visit.now, services).await?;
    Ok((tokens, id_token))
}
