//! `logto-broker`: a token of Logto for another API resource.

use mcp_edge_oauth::provider::Provider;
use mcp_edge_runtime::ports::Fetch;

use super::subject::{self, MachineToken};
use crate::{
    connection::{
        caller::Caller,
        settings::LogtoBroker,
        source::{IssuedToken, NoToken},
        token_answer::{self, Expected},
    },
    jwt::subject_and_audience_of,
};

/// Obtains a token for the caller. What Logto issues must be for this user and this resource: it was asked for with the power
/// of an administrator.
///
/// # Errors
/// [`NoToken`].
pub async fn token(
    settings: &LogtoBroker,
    caller: &Caller,
    scopes: &[String],
    (provider, machine): (&Provider, &MachineToken),
    fetch: &impl Fetch,
    now: u64,
) -> Result<IssuedToken, NoToken> {
    let user = caller.identity.subject();
    let subject = subject::mint(&settings.management, user, provider, machine, fetch, now).await?;
    let scope = scopes.join(" ");
    let resource = Some(settings.resource.as_str());
    let reply = subject::exchange(&settings.client, &subject, resource, &scope, provider, fetch).await?;
    let issued = token_answer::read(&reply, Expected { subject: &subject, scopes, may_lack_type: true }, now)?;
    match subject_and_audience_of(issued.token.expose()) {
        Some((sub, audience)) if sub == user && audience == [settings.resource.as_str()] => Ok(issued),
        Some(_) => Err(NoToken::Misconfigured("Logto issued a token for another user or resource".to_owned())),
        None => Err(NoToken::Misconfigured("Logto issued no JWT: `resource` must be an API resource there".to_owned())),
    }
}
