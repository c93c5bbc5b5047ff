//! Assertions about a caller that the gateway did not sign. Only an upstream that does not verify accepts one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// A private key (PKCS #8) that protects nothing, because everybody can read it here.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgtqQKMpVvH_OgxwlUxG7eutvOQJ46g6nXUnSvfEtDtUihRANCAAQ5SKKoDSkAFq1X\
                   NwiRyrDapaAnHpnqAo8CQkdIfF5lOSor1kGavue9twRF4HEBOI31VPEWppJm9a-P_xUq8fIs";

/// The coordinates of its public key.
const POINT: (&str, &str) =
    ("OUiiqA0pABatVzcIkcqw2qWgJx6Z6gKPAkJHSHxeZTk", "KivWQZq-5723BEXgcQE4jfVU8Ramkmb1r4__FSrx8iw");

/// How many seconds an assertion is valid.
const SECONDS: u64 = 60;

/// A way to forge an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forgery {
    /// `alg` is `none`, and there is no signature (RFC 8725 §2.1).
    Unsigned,
    /// Signed with another key, under the name of the gateway's.
    OtherKey,
    /// Signed with another key, which the header names as the one to verify with (`jwk`, RFC 7515 §4.1.3).
    KeyInHeader,
}

impl Forgery {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Unsigned, Self::OtherKey, Self::KeyInHeader];

    /// What the report calls the assertion.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "an unsigned assertion",
            Self::OtherKey => "an assertion that another key has signed",
            Self::KeyInHeader => "an assertion that brings its own key (jwk)",
        }
    }
}

/// What an assertion of the gateway would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims<'a> {
    /// `iss`: the origin of the gateway.
    pub issuer: &'a str,
    /// `aud`: the upstream.
    pub audience: &'a str,
    /// `act`: the URL of the gateway.
    pub resource: &'a str,
    /// The provider's issuer, in `sub_id` (RFC 9493 §3.2.2).
    pub provider: &'a str,
    /// `scope`.
    pub scope: &'a str,
    /// `iat`, in seconds since 1970.
    pub now: u64,
}

/// Creates a forged assertion: a JWT with the claims of a genuine one. `kid` is that of the gateway's key. `None` if it
/// cannot be signed.
#[must_use]
pub fn forge(forgery: Forgery, claims: &Claims<'_>, kid: Option<&str>) -> Option<String> {
    const SUBJECT: &str = "mcp-edge-doctor";
    let mut header = match forgery {
        Forgery::Unsigned => json!({ "alg": "none", "typ": "at+jwt" }),
        Forgery::OtherKey | Forgery::KeyInHeader => json!({ "alg": "ES256", "typ": "at+jwt" }),
    };
    if forgery == Forgery::KeyInHeader {
        header["jwk"] = json!({ "kty": "EC", "crv": "P-256", "x": POINT.0, "y": POINT.1 });
    } else if let Some(kid) = kid {
        header["kid"] = json!(kid);
    }
    let payload = json!({
        "iss": claims.issuer, "aud": claims.audience, "sub": SUBJECT, "client_id": SUBJECT, "scope": claims.scope,
        "act": { "sub": claims.resource },
        "sub_id": { "format": "iss_sub", "iss": claims.provider, "sub": SUBJECT },
        "iat": claims.now, "exp": claims.now + SECONDS, "jti": format!("{SUBJECT}-{}", claims.now),
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(&header), encode(&payload));
    let signature = match forgery {
        Forgery::Unsigned => String::new(),
        Forgery::OtherKey | Forgery::KeyInHeader => {
            let key = EncodingKey::from_ec_der(&URL_SAFE_NO_PAD.decode(KEY).ok()?);
            jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::ES256).ok()?
        }
    };
    Some(format!("{message}.{signature}"))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::DecodingKey;

    use super::*;

    const CLAIMS: Claims<'static> = Claims {
        issuer: "https://mcp.example.com",
        audience: "https://upstream.example.com/mcp",
        resource: "https://mcp.example.com/mcp",
        provider: "https://as",
        scope: "a b",
        now: 1000,
    };

    fn decoded(forgery: Forgery) -> (Value, Value, String) {
        let forged = forge(forgery, &CLAIMS, Some("k1")).unwrap();
        let parts: Vec<_> = forged.split('.').collect();
        let json = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        (json(parts[0]), json(parts[1]), parts[2].to_owned())
    }

    #[test]
    fn claims_are_those_of_a_genuine_assertion() {
        for forgery in Forgery::ALL {
            let (header, claims, _) = decoded(forgery);
            assert_eq!(header["typ"], "at+jwt");
            assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (Some(CLAIMS.issuer), Some(CLAIMS.audience)));
            assert_eq!((claims["iat"].as_u64(), claims["exp"].as_u64()), (Some(1000), Some(1060)));
            assert_eq!(claims["act"]["sub"], CLAIMS.resource);
            assert!(claims["sub"].is_string() && claims["client_id"].is_string() && claims["jti"].is_string());
        }
    }

    #[test]
    fn each_forgery_claims_a_key_in_its_own_way() {
        let (header, _, signature) = decoded(Forgery::Unsigned);
        assert_eq!((header["alg"].as_str(), signature.as_str()), (Some("none"), ""));
        let (header, _, _) = decoded(Forgery::OtherKey);
        assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("ES256"), Some("k1")));
        let (header, _, _) = decoded(Forgery::KeyInHeader);
        assert_eq!((header["kid"].as_str(), header["jwk"]["x"].as_str()), (None, Some(POINT.0)));
    }

    /// An upstream that takes the key from the header must find the signature right: otherwise the forgery proves nothing.
    #[test]
    fn the_signature_is_that_of_the_named_key() {
        let forged = forge(Forgery::KeyInHeader, &CLAIMS, None).unwrap();
        let (message, signature) = forged.rsplit_once('.').unwrap();
        let key = DecodingKey::from_ec_components(POINT.0, POINT.1).unwrap();
        assert!(jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::ES256).unwrap());
    }
}
