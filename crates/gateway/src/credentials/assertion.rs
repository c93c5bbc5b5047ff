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

/// How all assertions of one key for one upstream begin: the header, and the claims that are the same for all callers. In
/// compact serialization, so that it is encoded once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning(String);

impl Beginning {
    /// Creates the beginning of assertions that the key `kid` signs: `issuer` is the origin of the endpoint, where the keys are
    /// published, `audience` the upstream, and `actor` the endpoint, which acts for the caller (RFC 8693 §4.1).
    #[must_use]
    pub fn new(kid: &str, issuer: &str, audience: &str, actor: &str) -> Self {
        let header = Object::new().text("alg", "ES256").text("typ", "at+jwt").text("kid", kid).close();
        let actor = Object::new().text("sub", actor).close();
        let claims = Object::new().text("iss", issuer).text("aud", audience).raw("act", &actor);
        let mut claims = ["{", claims.as_str(), ","].concat();
        // Three bytes are four digits: after whole groups of them, what follows can be encoded by itself. JSON allows spaces.
        claims.extend(std::iter::repeat_n(' ', claims.len().next_multiple_of(3) - claims.len()));
        Self([&*URL_SAFE_NO_PAD.encode(header), ".", &URL_SAFE_NO_PAD.encode(claims)].concat())
    }
}

/// What an assertion says of a caller.
#[derive(Debug, Clone, Copy)]
pub struct AssertionClaims<'a> {
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
    beginning: &Beginning,
    claims: &AssertionClaims<'_>,
    now: u64,
    runtime: &dyn Runtime,
) -> Result<String, KeyError> {
    let mut token = String::with_capacity(1024);
    token.push_str(&beginning.0);
    URL_SAFE_NO_PAD.encode_into(claims.rest(now, runtime).as_bytes(), &mut token);
    let signature = key.sign(token.as_bytes()).await?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_into(&signature, &mut token);
    Ok(token)
}

impl AssertionClaims<'_> {
    /// The claims that follow a [`Beginning`], and the brace behind them.
    fn rest(self, now: u64, runtime: &dyn Runtime) -> String {
        let identity = self.identity;
        let mut random = [0; 16];
        runtime.random(&mut random);
        let scopes = identity.scopes().to_string();
        let subject = Object::new()
            .text("format", "iss_sub")
            .text("iss", identity.issuer())
            .text("sub", identity.subject())
            .close();
        let client_id = identity.client_id().map(|id| self.qualified(id));
        let organization = identity.organization_id().map(|id| self.qualified(id));
        let claims = Object::with_capacity(512)
            .text("sub", &self.qualified(identity.subject()))
            .maybe_text("client_id", client_id.as_deref())
            .maybe_text("scope", Some(&*scopes).filter(|scopes| !scopes.is_empty()))
            .maybe_text("organization_id", organization.as_deref())
            // The endpoint's for all issuers: not qualified.
            .maybe_text("key_id", identity.key_id())
            .raw("sub_id", &subject)
            .raw("iat", &now.to_string())
            .raw("exp", &end_of(identity, now).min(now.saturating_add(ASSERTION_SECONDS)).to_string())
            .text("jti", &URL_SAFE_NO_PAD.encode(random));
        [claims.as_str(), "}"].concat()
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
