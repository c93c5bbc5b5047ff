//! Reasons in a JWT's claims and header for which a server should reject it, or may have rejected it.

use crate::{
    outcome::Outcome,
    probe::Probe,
    quote::quote,
    record::{Record, document, string, strings},
    token::Jwt,
};

/// The tolerance for clocks that differ, as servers have it.
const CLOCK_SKEW_SECONDS: f64 = 60.0;

/// What follows "the server accepts the token, but" for a token that is bound to a key (`DPoP` or mutual TLS).
pub(super) const BOUND: &str = "it is bound to a key, and was sent without proof of possession of that key";

/// A reason, and how to fix it unless the fix of the check's row applies.
pub(super) struct Mismatch {
    pub(super) observed: String,
    fix: Option<String>,
}

impl Mismatch {
    fn new(observed: impl Into<String>) -> Self {
        Self { observed: observed.into(), fix: None }
    }

    fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// The outcome for a token that the server rejected in this way.
    pub(super) fn explain(self, rejection: &str) -> Outcome {
        let outcome = Outcome::failure(format!("{rejection}; {}", self.observed));
        match self.fix {
            Some(fix) => outcome.fix(fix),
            None => outcome,
        }
    }
}

/// A claim for which the server should reject the token: audience, issuer or times. `None` without one.
pub(super) fn in_claims(record: &Record, jwt: &Jwt) -> Option<Mismatch> {
    let metadata = record.resource_metadata().unwrap_or_default();
    in_audience(record, string(&metadata, "resource"), jwt)
        .or_else(|| in_issuer(&strings(&metadata, "authorization_servers"), jwt))
        .or_else(|| in_time(record.now, jwt))
}

fn in_audience(record: &Record, resource: Option<&str>, jwt: &Jwt) -> Option<Mismatch> {
    let url = record.target.as_str();
    let resource = resource.unwrap_or(url);
    // If the two differ, the check `resource` reports it.
    if jwt.audience.iter().any(|audience| audience == resource || audience == url) {
        return None;
    }
    let audience = jwt.audience.join(" ");
    let (actual, expected) = (quote(&audience), quote(resource));
    Some(if audience.is_empty() {
        Mismatch::new(format!("it has no audience; it should have {expected}"))
    } else if audience.starts_with("urn:logto:organization:") {
        // Logto issues these for a refresh token with `organization_id` and without `resource`.
        Mismatch::new(format!("it is a token for an organization: its audience is {actual} instead of {expected}"))
            .fix(format!("Send resource={url} in the token request, in addition to organization_id if that is needed."))
    } else {
        Mismatch::new(format!("its audience is {actual} instead of {expected}"))
    })
}

fn in_issuer(trusted: &[&str], jwt: &Jwt) -> Option<Mismatch> {
    let issuer = jwt.issuer.as_deref().unwrap_or_default();
    if trusted.is_empty() || trusted.contains(&issuer) {
        return None;
    }
    let expected = quote(&trusted.join(" "));
    Some(
        Mismatch::new(format!("its issuer is {} instead of {expected}", quote(issuer)))
            .fix(format!("Get a token from {expected}, the provider in the server's metadata.")),
    )
}

fn in_time(now: u64, jwt: &Jwt) -> Option<Mismatch> {
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit into 52 bits for a long time")]
    let now = now as f64;
    let Some(expires_at) = jwt.expires_at else {
        return Some(
            Mismatch::new("it has no exp, and counts as expired")
                .fix("Configure the provider to set exp: access tokens must expire (RFC 9068)."),
        );
    };
    if expires_at <= now {
        return Some(
            Mismatch::new(format!("it has expired {} ago", duration(now - expires_at)))
                .fix("Get a new token: sign in again, or have the client use its refresh token."),
        );
    }
    jwt.not_before.filter(|not_before| *not_before > now + CLOCK_SKEW_SECONDS).map(|not_before| {
        Mismatch::new(format!("it becomes valid only in {} (nbf)", duration(not_before - now)))
            .fix("Correct the clock of the provider, or of this machine.")
    })
}

/// A duration in the largest unit of which there are two or more.
fn duration(seconds: f64) -> String {
    let (unit_seconds, unit) = match seconds {
        ..120.0 => (1.0, "seconds"),
        ..7_200.0 => (60.0, "minutes"),
        ..172_800.0 => (3_600.0, "hours"),
        _ => (86_400.0, "days"),
    };
    format!("{:.0} {unit}", (seconds / unit_seconds).floor())
}

/// A property of the header for which the server may have rejected the token: how it must be sent, its `typ`, or its
/// key. `None` without one.
pub(super) fn in_header(record: &Record, jwt: &Jwt) -> Option<Mismatch> {
    if jwt.is_bound {
        return Some(Mismatch::new(BOUND).fix(
            "The doctor does not have the key: get a token with a client that uses neither DPoP nor mutual TLS. If the \
             provider binds the tokens of every client, disable that for this server, unless the server verifies the \
             proofs.",
        ));
    }
    let typ = jwt.typ.as_deref().unwrap_or_default();
    if !typ.eq_ignore_ascii_case("at+jwt") && !typ.eq_ignore_ascii_case("application/at+jwt") {
        return Some(Mismatch::new(format!("its typ is {} instead of \"at+jwt\" (RFC 9068)", quote(typ))).fix(
            "If it is the access_token of the token response, allow its typ at the server (for mcp-edge: \
                 TOKEN_TYPES), or configure the provider to follow RFC 9068.",
        ));
    }
    let set = document(record.response(Probe::Keys)?)?;
    let published: Vec<_> = set.get("keys")?.as_array()?.iter().filter_map(|key| key["kid"].as_str()).collect();
    let signer = jwt.kid.as_deref()?;
    (!published.is_empty() && !published.contains(&signer)).then(|| {
        Mismatch::new("the provider no longer publishes the key that signed it")
            .fix("Get a new token: the provider has replaced its keys.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_readable_unit() {
        for (seconds, text) in [(1.5, "1 seconds"), (300.0, "5 minutes"), (7_200.0, "2 hours"), (172_800.0, "2 days")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
