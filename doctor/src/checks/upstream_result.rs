//! What the checks of a gateway need: its upstream, access to it, and what both list.

use serde_json::Value;

use crate::{
    gateway::authorization::AUTHORIZATION_VARIABLE,
    mcp::{Era, List},
    outcome::Skip,
    record::{Record, Upstream},
};

/// The upstream.
///
/// # Errors
/// [`Skip`] if the operator named none.
pub(super) fn require_upstream(record: &Record) -> Result<&Upstream, Skip> {
    let skip =
        || Skip::new("no upstream: if the server is a gateway, pass the URL of the server behind it with --upstream");
    record.upstream.as_deref().ok_or_else(skip)
}

/// The exchanges with the upstream itself, in which it answered the operator.
///
/// # Errors
/// [`Skip`] if there are none.
pub(super) fn require_access(record: &Record) -> Result<&Record, Skip> {
    let upstream = require_upstream(record)?;
    let direct = &upstream.direct;
    if Era::ALL.into_iter().any(|era| direct.handshake(era).is_some()) {
        return Ok(direct);
    }
    Err(Skip::new(match (upstream.is_reached(), &upstream.authorization) {
        (false, _) => "the upstream is not reachable from here".to_owned(),
        (true, None) => format!("needs access to the upstream: set {AUTHORIZATION_VARIABLE}"),
        (true, Some(_)) if !direct.target.is_https() && !direct.target.is_loopback() => {
            "the credentials were not sent to the upstream, because its URL is plain http".to_owned()
        }
        (true, Some(_)) => format!("the upstream does not answer the credentials in {AUTHORIZATION_VARIABLE}"),
    }))
}

/// That the gateway answered the operator's token.
///
/// # Errors
/// [`Skip`] if it did not.
pub(super) fn require_token(record: &Record) -> Result<(), Skip> {
    if !record.is_reached() {
        return Err(Skip::new("the endpoint was not reached"));
    }
    if record.is_protected() && record.token.is_none() {
        return Err(Skip::new("needs an access token (see token)"));
    }
    let is_answered = Era::ALL.into_iter().any(|era| record.handshake(era).is_some());
    if is_answered { Ok(()) } else { Err(Skip::new("the gateway answers neither era (see token, legacy and modern)")) }
}

/// The names, URIs or URI templates in a list, in whichever era it was read. `None` if it was not.
pub(super) fn names_in(record: &Record, list: List) -> Option<Vec<&str>> {
    let pages = Era::ALL.into_iter().find_map(|era| record.pages(era, list))?;
    let member = match list {
        List::Tools | List::Prompts => "name",
        List::Resources => "uri",
        List::ResourceTemplates => "uriTemplate",
    };
    Some(pages.entries.iter().filter_map(|entry: &Value| entry[member].as_str()).collect())
}
