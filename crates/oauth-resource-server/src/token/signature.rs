//! The signature of a JWT, verified with the key of its issuer that it names. The same for access tokens and ID tokens.

use std::rc::Rc;

use mcp_edge_runtime::ports::Services;

use super::{denied::DeniedTokens, jwt::UnverifiedJwt};
use crate::{
    denial::{Denial, Excerpt, SignatureError},
    keys::{
        jwks_cache::{Found, IssuerKeys},
        policy::{Attempted, KeyQuery},
    },
};

/// What the choice of the key depends on, as the token says it.
#[derive(Debug, Clone, Copy)]
pub struct KeyChoice<'a> {
    /// `iat`.
    pub issued_at: Option<u64>,
    /// If keys are of one tenant each: `iss`, and `tid` if there is one.
    pub tenant: Option<(&'a str, Option<&'a str>)>,
    /// The keys that the operator denies.
    pub denied: &'a DeniedTokens,
}

/// Verifies the signature of `jwt` at `now` (seconds since 1970), and returns the key that it was made with. If the
/// provider may have another key of this name by now, that one is fetched and tried as well.
pub async fn verify(
    jwt: &UnverifiedJwt<'_>,
    choice: KeyChoice<'_>,
    keys: &Rc<IssuerKeys>,
    now: u64,
    services: &impl Services,
) -> Found {
    let mut attempted = Attempted::default();
    let (kid, algorithm) = (jwt.kid.as_deref(), jwt.algorithm);
    let mut query = KeyQuery { kid, algorithm, issued_at: choice.issued_at, disproved: None };
    let bad_signature = |error| Denial::BadSignature { kid: kid.map(Excerpt::new), alg: algorithm, error };
    loop {
        let found = keys.find(now, query, attempted, services).await;
        attempted = found.attempted;
        let refused = |denial| Found { key: Err(denial), attempted };
        let Ok(key) = found.key else { return found };
        if let Err(denial) = choice.denied.check_key(key.kid.as_deref(), &key.thumbprint) {
            return refused(denial);
        }
        if choice.tenant.is_some_and(|(issuer, tid)| !key.may_sign_for(issuer, tid)) {
            return refused(Denial::KeyMismatch { kid: kid.map(Excerpt::new), alg: algorithm });
        }
        let (found, expected) = (jwt.signature.len(), key.material.signature_length());
        if found != expected {
            return refused(bad_signature(SignatureError::Length { found, expected }));
        }
        match services.verify(&*key, algorithm, jwt.signing_input.as_bytes(), &jwt.signature).await {
            Ok(true) => return Found { key: Ok(key), attempted },
            // Once more, if the provider has another key of this name by now; otherwise `find` refuses.
            Ok(false) if query.disproved != Some(key.thumbprint) => query.disproved = Some(key.thumbprint),
            Ok(false) => return refused(bad_signature(SignatureError::NotVerified)),
            Err(error) => {
                let error = Excerpt::new(&error.to_string());
                return refused(Denial::UnusableKey { kid: kid.map(Excerpt::new), error });
            }
        }
    }
}
