//! The keys of assertions as JWKs (RFC 7517, RFC 7518 §6.2): the private one that signs, and the public ones that are
//! published for the upstream at `/.well-known/jwks.json`.

use mcp_edge_runtime::{
    base64::URL_SAFE_NO_PAD,
    digest::sha256,
    json::{Object, array},
    secret::Secret,
};
use serde_json::{Map, Value};

/// Where the public keys are published.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// A longer `kid` is none that anybody has chosen.
const MAX_KID_BYTES: usize = 200;

/// The public part of a key, on the curve P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kid: String,
    /// 32 bytes in base64url, and so is `y`.
    x: String,
    y: String,
}

/// A key that signs. Whether `x` and `y` belong to `d` is noticed when the platform imports the key: signing then fails
/// with [`KeyError::Invalid`](mcp_edge_runtime::keys::KeyError::Invalid), for every request.
#[derive(Debug, Clone)]
pub struct PrivateKey {
    public: PublicKey,
    jwk: Secret,
}

/// What is wrong with a JWK, as the end of a sentence. It quotes nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not a JSON object.
    #[error("must be a JWK: a JSON object with \"kty\", \"crv\", \"x\" and \"y\"")]
    NotAnObject,
    /// Another type or curve.
    #[error("must have \"kty\": \"EC\" and \"crv\": \"P-256\"")]
    Type,
    /// One of `x`, `y` and `d` is missing, or has another length.
    #[error("must have \"{0}\" of 32 bytes in base64url")]
    Number(&'static str),
    /// Meant for something else.
    #[error("must have \"alg\": \"ES256\" and \"use\": \"sig\", or leave them out")]
    Use,
    /// No name that a header can hold.
    #[error("must have a \"kid\" of 1 to 200 visible ASCII characters, or none: then it is the thumbprint of RFC 7638")]
    Kid,
    /// A private key among those that are published.
    #[error(
        "has \"d\", the private part: anybody who reads it can sign as this gateway. Nothing was published. Replace this key \
         by a new one, and list its public part only"
    )]
    Private,
}

impl PublicKey {
    /// Reads a public key from a JWK.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn parse(jwk: &Value) -> Result<Self, JwkError> {
        let members = jwk.as_object().ok_or(JwkError::NotAnObject)?;
        if members.contains_key("d") {
            return Err(JwkError::Private);
        }
        Self::of(members)
    }

    fn of(members: &Map<String, Value>) -> Result<Self, JwkError> {
        let is = |name: &str, value: &str| members.get(name).and_then(Value::as_str) == Some(value);
        let is_unless_missing = |name, value| !members.contains_key(name) || is(name, value);
        if !is("kty", "EC") || !is("crv", "P-256") {
            return Err(JwkError::Type);
        }
        if !is_unless_missing("alg", "ES256") || !is_unless_missing("use", "sig") {
            return Err(JwkError::Use);
        }
        let (x, y) = (number(members, "x")?, number(members, "y")?);
        let kid = match members.get("kid") {
            None => thumbprint(&x, &y),
            Some(Value::String(kid)) if is_kid(kid) => kid.clone(),
            Some(_) => return Err(JwkError::Kid),
        };
        Ok(Self { kid, x, y })
    }

    /// The name of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    fn to_json(&self) -> String {
        let object = Object::new().text("kty", "EC").text("crv", "P-256").text("x", &self.x).text("y", &self.y);
        object.text("kid", &self.kid).text("alg", "ES256").text("use", "sig").close()
    }
}

impl PrivateKey {
    /// Reads a private key from the text of a JWK.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn parse(jwk: &Secret) -> Result<Self, JwkError> {
        let members: Map<String, Value> = serde_json::from_str(jwk.expose()).map_err(|_| JwkError::NotAnObject)?;
        let public = PublicKey::of(&members)?;
        let d = number(&members, "d")?;
        // Written anew: WebCrypto refuses keys whose `key_ops` or `ext` do not fit.
        let jwk = Object::new().text("kty", "EC").text("crv", "P-256").text("x", &public.x).text("y", &public.y);
        Ok(Self { jwk: Secret::new(jwk.text("d", &d).close()), public })
    }

    /// The part that is published.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The JWK for the platform.
    #[must_use]
    pub const fn jwk(&self) -> &Secret {
        &self.jwk
    }
}

/// The document with the public keys (RFC 7517 §5).
#[must_use]
pub fn jwks(keys: &[PublicKey]) -> String {
    Object::new().raw("keys", &array(keys.iter().map(PublicKey::to_json))).close()
}

/// A member that is 32 bytes in base64url without padding.
fn number(members: &Map<String, Value>, name: &'static str) -> Result<String, JwkError> {
    let text = members.get(name).and_then(Value::as_str).ok_or(JwkError::Number(name))?;
    match URL_SAFE_NO_PAD.decode(text) {
        Some(bytes) if bytes.len() == 32 => Ok(text.to_owned()),
        _ => Err(JwkError::Number(name)),
    }
}

/// The thumbprint of RFC 7638 §3: the digest of the required members in alphabetical order.
fn thumbprint(x: &str, y: &str) -> String {
    let members = Object::new().text("crv", "P-256").text("kty", "EC").text("x", x).text("y", y);
    URL_SAFE_NO_PAD.encode(sha256(&members.close()))
}

fn is_kid(kid: &str) -> bool {
    (1..=MAX_KID_BYTES).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic())
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The key of RFC 7515 appendix A.3.
    fn private() -> Value {
        json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut jwk = private();
        jwk[name] = value;
        jwk
    }

    fn without(name: &str) -> Value {
        let mut jwk = private();
        jwk.as_object_mut().unwrap().remove(name);
        jwk
    }

    fn parse(jwk: &Value) -> Result<PrivateKey, JwkError> {
        PrivateKey::parse(&Secret::new(jwk.to_string()))
    }

    #[test]
    fn a_private_key_has_a_public_part() {
        let key = parse(&with("kid", json!("2026-11"))).unwrap();
        assert_eq!(key.public().kid(), "2026-11");
        let document: Value = serde_json::from_str(&jwks(&[key.public().clone()])).unwrap();
        let expected = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "x": private()["x"], "y": private()["y"],
            "kid": "2026-11", "alg": "ES256", "use": "sig",
        }]});
        assert_eq!(document, expected);
    }

    #[test]
    fn a_key_without_a_name_has_its_thumbprint() {
        assert_eq!(parse(&private()).unwrap().public().kid(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }

    #[test]
    fn the_platform_gets_the_numbers_of_the_key_alone() {
        let mut jwk = with("key_ops", json!(["verify"]));
        jwk["ext"] = json!(false);
        let key = parse(&jwk).unwrap();
        assert_eq!(serde_json::from_str::<Value>(key.jwk().expose()).unwrap(), private());
    }

    #[test]
    fn the_private_part_is_shown_nowhere() {
        let key = parse(&private()).unwrap();
        assert!(!format!("{key:?}").contains("jpsQ"));
        assert!(!jwks(&[key.public().clone()]).contains("jpsQ"));
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        for (jwk, error) in [
            (json!([]), JwkError::NotAnObject),
            (json!("jpsQ"), JwkError::NotAnObject),
            (with("kty", json!("RSA")), JwkError::Type),
            (with("kty", json!("ec")), JwkError::Type),
            (with("crv", json!("P-384")), JwkError::Type),
            (without("crv"), JwkError::Type),
            (with("alg", json!("ES384")), JwkError::Use),
            (with("alg", json!(null)), JwkError::Use),
            (with("use", json!("enc")), JwkError::Use),
            (with("kid", json!("")), JwkError::Kid),
            (with("kid", json!(1)), JwkError::Kid),
            (with("kid", json!("a b")), JwkError::Kid),
            (with("kid", json!("a".repeat(201))), JwkError::Kid),
        ] {
            assert_eq!(parse(&jwk).err(), Some(error), "{jwk}");
        }
        assert!(PrivateKey::parse(&Secret::new("jpsQ")).is_err_and(|error| !error.to_string().contains("jpsQ")));
        assert!(parse(&with("alg", json!("ES256"))).is_ok());
        assert!(parse(&with("use", json!("sig"))).is_ok());
    }

    #[test]
    fn numbers_have_32_bytes() {
        for name in ["x", "y", "d"] {
            let short = "A".repeat(42);
            // 32 bytes with padding, with the other alphabet, with a last character that encodes more bits than there are.
            for text in ["", &short, &"A".repeat(44), &format!("{short}A="), &format!("{short}+"), &format!("{short}B")]
            {
                assert_eq!(parse(&with(name, json!(text))).err(), Some(JwkError::Number(name)), "{name} {text}");
            }
            assert_eq!(parse(&without(name)).err(), Some(JwkError::Number(name)));
            assert_eq!(parse(&with(name, json!(1))).err(), Some(JwkError::Number(name)));
        }
    }

    #[test]
    fn a_private_key_is_not_published() {
        assert_eq!(PublicKey::parse(&private()), Err(JwkError::Private));
        assert_eq!(PublicKey::parse(&with("d", json!(null))), Err(JwkError::Private));
        assert_eq!(PublicKey::parse(&without("d")).as_ref(), Ok(parse(&private()).unwrap().public()));
    }
}
