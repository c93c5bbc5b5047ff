//! Assertions: JWTs that tell an upstream who is calling (RFC 7515, RFC 7519).
//!
//! They have the form of access tokens (RFC 9068), so that the libraries that verify those verify these. Each is for one
//! upstream and one request. It is valid for [`ASSERTION_SECONDS`] and no longer than the caller's token.

use std::borrow::Cow;

use mcp_edge_identity::{EXPIRY_LEEWAY_SECONDS, Identity};
use mcp_edge_runtime::{
    base64::URL_SAFE_NO_PAD,
    json::Object,
    keys::{KeyError, SigningKey},
    ports::Runtime,
};

/// How long an assertion is valid.
pub const ASSERTION_SECONDS: u64 = 60;

/// When what is done with a caller's token ends, in seconds since 1970. A token that has just been accepted is good for a
/// call, or the upstream would refuse what the endpoint has not.
#[must_use]
pub fn end_of(identity: &Identity, now: u64) -> u64 {
    identity.expires_at().max(now.saturating_add(EXPIRY_LEEWAY_SECONDS))
}

/// What an assertion says.
#[derive(Debug, Clone, Copy)]
pub struct AssertionClaims<'a> {
    /// `iss`: the origin of the endpoint, where the keys are published.
    pub issuer: &'a str,
    /// `aud`: the upstream.
    pub audience: &'a str,
    /// `act.sub`: the endpoint, which acts for the caller (RFC 8693 §4.1).
    pub actor: &'a str,
    /// The issuer whose users and organizations are named as in its tokens. The names of others are qualified with their
    /// issuer.
    pub primary_issuer: &'a str,
    /// The caller.
    pub identity: &'a Identity,
}

/// Signs a new assertion in compact serialization. `now` is in seconds since 1970. No two have the same `jti`.
///
/// # Errors
/// [`KeyError::Invalid`] if the platform does not take the key, for example because `x` and `y` are those of another `d`:
/// it is then the same for every request until the secret is replaced.
pub async fn assertion(
    key: &impl SigningKey,
    kid: &str,
    claims: &AssertionClaims<'_>,
    now: u64,
    runtime: &dyn Runtime,
) -> Result<String, KeyError> {
    let header = Object::new().text("alg", "ES256").text("typ", "at+jwt").text("kid", kid).close();
    let mut token = String::with_capacity(1024);
    URL_SAFE_NO_PAD.encode_into(header.as_bytes(), &mut token);
    token.push('.');
    URL_SAFE_NO_PAD.encode_into(claims.to_json(now, runtime).as_bytes(), &mut token);
    let signature = key.sign(token.as_bytes()).await?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_into(&signature, &mut token);
    Ok(token)
}

impl AssertionClaims<'_> {
    fn to_json(self, now: u64, runtime: &dyn Runtime) -> String {
        let identity = self.identity;
        let mut random = [0; 16];
        runtime.random(&mut random);
        let scopes = identity.scopes().to_string();
        let actor = Object::new().text("sub", self.actor).close();
        let subject = Object::new()
            .text("format", "iss_sub")
            .text("iss", identity.issuer())
            .text("sub", identity.subject())
            .close();
        let client_id = identity.client_id().map(|id| self.qualified(id));
        let organization = identity.organization_id().map(|id| self.qualified(id));
        Object::with_capacity(768)
            .text("iss", self.issuer)
            .text("aud", self.audience)
            .text("sub", &self.qualified(identity.subject()))
            .maybe_text("client_id", client_id.as_deref())
            .maybe_text("scope", Some(&*scopes).filter(|scopes| !scopes.is_empty()))
            .maybe_text("organization_id", organization.as_deref())
            // The endpoint's for all issuers: not qualified.
            .maybe_text("key_id", identity.key_id())
            .raw("act", &actor)
            .raw("sub_id", &subject)
            .raw("iat", &now.to_string())
            .raw("exp", &end_of(identity, now).min(now.saturating_add(ASSERTION_SECONDS)).to_string())
            .text("jti", &URL_SAFE_NO_PAD.encode(random))
            .close()
    }

    /// A name that is unique among those of all issuers. Those of the primary issuer stay as they are, unless they could be
    /// taken for qualified ones: issuers have no `#` in them, so what is in front of the first one is the issuer.
    fn qualified<'n>(&self, name: &'n str) -> Cow<'n, str> {
        let issuer = self.identity.issuer();
        if issuer == self.primary_issuer && !name.contains('#') {
            return Cow::Borrowed(name);
        }
        Cow::Owned([issuer, "#", name].concat())
    }
}

#[cfg(test)]
mod tests;
