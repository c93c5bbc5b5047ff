//! JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037): a public key, and whether it may verify signatures.
//!
//! A provider's set holds keys for other purposes, of kinds that are not known here, or with errors in them. The
//! runtime's own `importKey` protects against little of this (it imports an RSA key that says `PS256` for RS256, and keys
//! of 512 bits), so every rule is checked here.

use mcp_edge_providers::TENANT_PLACEHOLDER;
use serde_json::{Map, Value};

use crate::json_members;
use mcp_edge_runtime::{
    base64::URL_SAFE_NO_PAD,
    crypto::{Algorithm, Thumbprint, VerificationKey},
    digest::sha256,
};

/// NIST SP 800-131A: RSA keys below 2048 bits are not to be used. RFC 7518 §3.3 says so too.
const MIN_RSA_BITS: usize = 2048;

/// A verification costs time with the square of the modulus; nobody signs access tokens with more.
const MAX_RSA_BITS: usize = 8192;

/// The members of a JWK that are looked at.
const MEMBERS: [&str; 11] = ["kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "issuer"];

/// The members of a private or a symmetric key.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// An elliptic curve of RFC 7518 §6.2.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of the RFC")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn from_name(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.name() == name)
    }

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Bytes of one coordinate.
    #[must_use]
    pub const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

/// The public numbers of a key, in the base64url form of the JWK.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members are those of RFC 7518 §6 and RFC 8037 §2")]
pub enum Material {
    Rsa {
        n: String,
        e: String,
        /// In bytes.
        modulus_length: usize,
    },
    Ec {
        curve: Curve,
        x: String,
        y: String,
    },
    Ed25519 {
        x: String,
    },
}

/// A public signature key that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// `kid`, if published.
    pub kid: Option<String>,
    /// `alg`, if published: the only algorithm the key may be used with.
    pub algorithm: Option<Algorithm>,
    /// `issuer`, if published: at Entra, whose tokens the key signs. Empty if it is no string: nobody's.
    pub issuer: Option<String>,
    /// The numbers.
    pub material: Material,
    /// Identifies the numbers.
    pub thumbprint: Thumbprint,
}

impl Material {
    /// Whether a key of this material may verify this algorithm: `kty` and `crv` are fixed by `alg`.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match (algorithm, self) {
            (RS256 | RS384 | RS512 | PS256 | PS384 | PS512, Self::Rsa { .. }) | (EdDSA, Self::Ed25519 { .. }) => true,
            (ES256, Self::Ec { curve, .. }) => *curve == Curve::P256,
            (ES384, Self::Ec { curve, .. }) => *curve == Curve::P384,
            (ES512, Self::Ec { curve, .. }) => *curve == Curve::P521,
            _ => false,
        }
    }

    /// How many bytes a signature by this key has. Checked before the signature is verified: WebCrypto's answer to a
    /// wrong length differs between algorithms.
    #[must_use]
    pub fn signature_length(&self) -> usize {
        match self {
            Self::Rsa { modulus_length, .. } => *modulus_length,
            Self::Ec { curve, .. } => 2 * curve.coordinate_length(),
            Self::Ed25519 { .. } => 64,
        }
    }

    /// The smallest JWK with this key, its members in the alphabetical order that RFC 7638 §3.2 prescribes. Values are
    /// base64url or curve names: no escaping.
    fn to_jwk(&self) -> String {
        match self {
            Self::Rsa { n, e, .. } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { curve, x, y } => format!(r#"{{"crv":"{}","kty":"EC","x":"{x}","y":"{y}"}}"#, curve.name()),
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        }
    }
}

/// A JWK as it is published (RFC 7517 §4), not checked yet.
pub struct Jwk(Map<String, Value>);

impl Jwk {
    /// Reads one; `None` for what is no JSON object, or has a member twice (RFC 7517 §4).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_wanted = |name: &str| MEMBERS.contains(&name) || PRIVATE_MEMBERS.contains(&name);
        json_members::read(text.as_bytes(), &is_wanted).ok().map(Self)
    }

    /// Whether it has a private part (RFC 7518 §6.2.2, §6.3.2), or is symmetric (§6.4).
    #[must_use]
    pub fn is_private(&self) -> bool {
        PRIVATE_MEMBERS.iter().any(|name| self.member(name).is_some())
    }

    /// `kid`; empty if there is none.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.text("kid").unwrap_or_default()
    }

    /// The key, if it may verify signatures. Refused are: symmetric keys; keys that come with private members (the
    /// provider has lost them); keys for encryption; `key_ops` without `verify`; an unsupported `alg`; RSA outside
    /// 2048 to 8192 bits or with an exponent that is even or 1; coordinates of the wrong length.
    #[must_use]
    pub fn to_key(&self) -> Option<Key> {
        if self.is_private() || self.member("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let may_verify =
            |operations: &Value| operations.as_array().is_some_and(|list| list.iter().any(|it| it == "verify"));
        if !self.member("key_ops").is_none_or(may_verify) {
            return None;
        }
        let material = self.material()?;
        let algorithm = match self.member("alg") {
            None => None,
            Some(name) => Some(Algorithm::from_name(name.as_str()?).filter(|algorithm| material.fits(*algorithm))?),
        };
        let kid = match self.member("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        };
        let issuer = self.member("issuer").map(|issuer| issuer.as_str().unwrap_or_default().to_owned());
        let thumbprint = sha256(&material.to_jwk());
        Some(Key { kid, algorithm, issuer, material, thumbprint })
    }

    fn material(&self) -> Option<Material> {
        let text = |name: &str| self.text(name);
        let number = |name: &str| text(name).and_then(|value| URL_SAFE_NO_PAD.decode(value));
        match text("kty")? {
            "RSA" => {
                let (n, e) = (number("n")?, number("e")?);
                let significant = n.iter().position(|byte| *byte != 0).map(|zeros| &n[zeros..])?;
                let bits = significant.len() * 8 - significant.first()?.leading_zeros() as usize;
                let odd = e.last().is_some_and(|byte| byte % 2 == 1);
                let one = e.iter().rev().skip(1).all(|byte| *byte == 0) && e.last() == Some(&1);
                if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !odd || one || e.len() > 8 {
                    return None;
                }
                let (n, e) = (text("n")?.to_owned(), text("e")?.to_owned());
                Some(Material::Rsa { n, e, modulus_length: bits.div_ceil(8) })
            }
            "EC" => {
                let curve = Curve::from_name(text("crv")?)?;
                let is_coordinate = |bytes: &Vec<u8>| bytes.len() == curve.coordinate_length();
                number("x").filter(is_coordinate)?;
                number("y").filter(is_coordinate)?;
                Some(Material::Ec { curve, x: text("x")?.to_owned(), y: text("y")?.to_owned() })
            }
            "OKP" if text("crv")? == "Ed25519" => {
                number("x").filter(|bytes| bytes.len() == 32 && !is_of_small_order(bytes))?;
                Some(Material::Ed25519 { x: text("x")?.to_owned() })
            }
            _ => None,
        }
    }

    /// Some providers write members that they do not use as null.
    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.member(name).and_then(Value::as_str)
    }
}

impl Key {
    /// Whether the key may verify this algorithm, by its `alg` and by its material.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.material.fits(algorithm)
    }

    /// Whether the key may sign tokens with these claims `iss` and `tid`, where a published key may belong to one tenant
    /// alone: its `issuer` is that of the token, or is it with the token's tenant in place of `{tenantid}`
    /// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signing-key-issuer>). A key
    /// without `issuer` signs for all: version 1.0 publishes no others.
    #[must_use]
    pub fn may_sign_for(&self, iss: &str, tid: Option<&str>) -> bool {
        let Some(issuer) = &self.issuer else { return true };
        match issuer.split_once(TENANT_PLACEHOLDER) {
            None => issuer == iss,
            Some((before, after)) => tid.is_some_and(|tid| [before, tid, after].concat() == iss),
        }
    }
}

impl VerificationKey for Key {
    fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The smallest JWK with this key: no `alg`, `use`, `key_ops` or `kid`. It is both what RFC 7638 hashes and what is
    /// imported, so the import cannot depend on a member that was not checked here.
    fn to_jwk(&self) -> String {
        self.material.to_jwk()
    }
}
/// Whether the encoded point of an Ed25519 key (RFC 8032 §5.1.2) has a small order, so that everybody can make signatures
/// that verify under it, or is not encoded as it must be. The y coordinate alone decides.
fn is_of_small_order(point: &[u8]) -> bool {
    /// The points of order 8.
    const EIGHT: [[u8; 32]; 2] = [
        *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
        *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    ];
    let [first, middle @ .., last] = point else { return true };
    // Without the sign of x.
    let last = last & 0x7f;
    let all = |byte: u8| middle.iter().all(|it| *it == byte);
    // 0 has order 4 and 1 order 1; p - 1 has order 2, and from p = 2^255 - 19 on a number is not reduced.
    let is_least = last == 0 && *first <= 1 && all(0);
    let is_largest = last == 0x7f && *first >= 0xec && all(0xff);
    is_least || is_largest || EIGHT.iter().any(|eight| eight[..31] == point[..31] && eight[31] == last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // RFC 7638 §3.1.
        let jwk = json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        });
        let key = Jwk::parse(&jwk.to_string()).and_then(|jwk| jwk.to_key());
        assert_eq!(URL_SAFE_NO_PAD.encode(key.unwrap().thumbprint), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_key_of_one_tenant_signs_for_it_alone() {
        let key = |issuer: Value| {
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x, "issuer": issuer});
            Jwk::parse(&jwk.to_string()).and_then(|jwk| jwk.to_key()).expect("a key")
        };
        let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let (one, other) = ("11111111-aaaa-bbbb-cccc-000000000001", "9188040d-6c67-4c5b-b112-36a304b66dad");
        let all = key(of("{tenantid}").into());
        assert!(all.may_sign_for(&of(one), Some(one)) && all.may_sign_for(&of(other), Some(other)));
        for (iss, tid) in [
            (of(one), Some(other)),
            (of(one), None),
            (of("{tenantid}"), Some(one)),
            (of(""), Some(one)),
            (format!("https://sts.windows.net/{one}/"), Some(one)),
            (of(one) + "/", Some(one)),
            (format!("https://login.microsoftonline.us/{one}/v2.0"), Some(one)),
        ] {
            assert!(!all.may_sign_for(&iss, tid), "{iss} {tid:?}");
        }
        let consumers = key(of(other).into());
        assert!(consumers.may_sign_for(&of(other), Some(other)) && consumers.may_sign_for(&of(other), None));
        assert!(!consumers.may_sign_for(&of(one), Some(one)) && !consumers.may_sign_for(&of(one), Some(other)));
        let anybodys = key(Value::Null);
        assert!(anybodys.issuer.is_none() && anybodys.may_sign_for(&of(one), Some(one)));
        for odd in [json!(1), json!(true), json!({}), json!([of(one)]), json!("")] {
            let key = key(odd.clone());
            assert!(!key.may_sign_for(&of(one), Some(one)) && !key.may_sign_for(&of(one), None), "{odd}");
        }
    }
}
