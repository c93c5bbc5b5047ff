//! JSON Web Keys (RFC 7517): lenient per key, strict in the choice.
//!
//! A provider's set holds keys for other purposes, of kinds we do not know, or with mistakes in them; each of these is
//! skipped, and the rest stays usable. The choice of a key for a token is strict: exactly one key, of the kind that
//! the algorithm needs. The runtime's own `importKey` protects against little of this (it imports an RSA key that says
//! `PS256` for RS256, and keys of 512 bits), so every rule is checked here.

use std::rc::Rc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::denial::Reason;
use mcp_edge_runtime::crypto::{Algorithm, Thumbprint, VerificationKey};

/// More keys than any provider publishes (Logto: three; large ones: about ten). A longer set is not read to its end.
pub const MAX_KEYS: usize = 32;

/// NIST SP 800-131A: RSA keys below 2048 bits are not to be used. RFC 7518 §3.3 says so too.
const MIN_RSA_BITS: usize = 2048;

/// A verification costs time with the square of the modulus; nobody signs access tokens with more.
const MAX_RSA_BITS: usize = 8192;

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

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.material.fits(algorithm)
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

/// The usable keys of a JWK Set, at least one, and the names of the others. Two sets are equal if they hold the same,
/// in whatever order.
#[derive(Debug, Clone, Eq)]
pub struct KeySet {
    keys: Vec<Rc<Key>>,
    /// `kid`s of published keys that cannot be used: a token that names one is bad, and nothing need be asked.
    unusable: Vec<String>,
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
            one.len() == other.len()
                && one.iter().all(|it| other.contains(it))
                && other.iter().all(|it| one.contains(it))
        }
        same(&self.keys, &other.keys) && same(&self.unusable, &other.unusable)
    }
}

/// The document is not a JWK Set with a usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not JSON, or without a list `keys`.
    #[error("not a JWK Set")]
    Malformed,
    /// No key that could verify a token. An honest provider never publishes this; treating it as an outage keeps the
    /// old keys in use.
    #[error("no usable key in the JWK Set")]
    NoUsableKey,
}

impl KeySet {
    /// Reads a JWK Set, skipping every key that cannot be used.
    ///
    /// # Errors
    /// [`KeySetError`] if none is left.
    pub fn parse(document: &str) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_str(document).map_err(|_| KeySetError::Malformed)?;
        let (mut keys, mut unusable) = (Vec::new(), Vec::new());
        for jwk in document.keys.iter().take(MAX_KEYS) {
            match usable(jwk) {
                Some(key) => keys.push(Rc::new(key)),
                None => unusable.extend(jwk.get("kid").and_then(Value::as_str).map(str::to_owned)),
            }
        }
        if keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self { keys, unusable }) }
    }

    /// Chooses the one key for a token that names `kid` and `algorithm`.
    ///
    /// # Errors
    /// [`Reason::UnknownKey`] if no key has this `kid` (or, without a `kid`, none fits the algorithm),
    /// [`Reason::KeyMismatch`] if the key with this `kid` is of another kind, [`Reason::AmbiguousKey`] if several fit.
    pub fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Rc<Key>, Reason> {
        let mut named = self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).peekable();
        if named.peek().is_none() {
            return Err(Reason::UnknownKey);
        }
        let mut fitting = named.filter(|key| key.fits(algorithm));
        match fitting.next() {
            // The same key published twice is one key.
            Some(key) if fitting.all(|other| other.thumbprint == key.thumbprint) => Ok(key),
            Some(_) => Err(Reason::AmbiguousKey),
            None if kid.is_some() => Err(Reason::KeyMismatch),
            None => Err(Reason::UnknownKey),
        }
    }

    /// Whether a key of this name is published that cannot be used, and no other: to ask again would bring nothing.
    #[must_use]
    pub fn has_only_unusable(&self, kid: &str) -> bool {
        self.unusable.iter().any(|unusable| unusable == kid)
            && self.keys.iter().all(|key| key.kid.as_deref() != Some(kid))
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(Rc::as_ref)
    }

    /// The usable keys as a JWK Set, for the store, and of the others the `kid`.
    #[must_use]
    pub fn to_document(&self) -> Value {
        let unusable = self.unusable.iter().map(|kid| serde_json::json!({ "kid": kid }));
        let keys: Vec<Value> = self
            .iter()
            .filter_map(|key| {
                let mut jwk: Value = serde_json::from_str(&key.to_jwk()).ok()?;
                let members = jwk.as_object_mut()?;
                if let Some(kid) = &key.kid {
                    members.insert("kid".to_owned(), kid.as_str().into());
                }
                if let Some(algorithm) = key.algorithm {
                    members.insert("alg".to_owned(), algorithm.name().into());
                }
                Some(jwk)
            })
            .chain(unusable)
            .collect();
        serde_json::json!({ "keys": keys })
    }
}

/// A key that may verify signatures, or `None`. Refused are: symmetric keys; keys that come with private members (the
/// provider has lost them); keys for encryption; `key_ops` without `verify`; an `alg` that we do not take; RSA outside
/// 2048 to 8192 bits or with an exponent that is even or 1; coordinates of the wrong length.
fn usable(jwk: &Value) -> Option<Key> {
    let jwk = jwk.as_object()?;
    // Some providers write members that they do not use as null.
    let member = |name: &str| jwk.get(name).filter(|value| !value.is_null());
    let text = |name: &str| member(name).and_then(Value::as_str);
    let number = |name: &str| text(name).and_then(|value| URL_SAFE_NO_PAD.decode(value).ok());

    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|private| member(private).is_some()) {
        return None;
    }
    if member("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let may_verify =
        |operations: &Value| operations.as_array().is_some_and(|list| list.iter().any(|it| it == "verify"));
    if !member("key_ops").is_none_or(may_verify) {
        return None;
    }
    let material = match text("kty")? {
        "RSA" => {
            let (n, e) = (number("n")?, number("e")?);
            let significant = n.iter().position(|byte| *byte != 0).map(|zeros| &n[zeros..])?;
            let bits = significant.len() * 8 - significant.first()?.leading_zeros() as usize;
            let odd = e.last().is_some_and(|byte| byte % 2 == 1);
            let one = e.iter().rev().skip(1).all(|byte| *byte == 0) && e.last() == Some(&1);
            if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || !odd || one || e.len() > 8 {
                return None;
            }
            Material::Rsa { n: text("n")?.to_owned(), e: text("e")?.to_owned(), modulus_length: bits.div_ceil(8) }
        }
        "EC" => {
            let curve = Curve::from_name(text("crv")?)?;
            let is_coordinate = |bytes: &Vec<u8>| bytes.len() == curve.coordinate_length();
            number("x").filter(is_coordinate)?;
            number("y").filter(is_coordinate)?;
            Material::Ec { curve, x: text("x")?.to_owned(), y: text("y")?.to_owned() }
        }
        "OKP" if text("crv")? == "Ed25519" => {
            number("x").filter(|bytes| bytes.len() == 32 && !is_of_small_order(bytes))?;
            Material::Ed25519 { x: text("x")?.to_owned() }
        }
        _ => return None,
    };
    let algorithm = match member("alg") {
        None => None,
        Some(name) => Some(Algorithm::from_name(name.as_str()?).filter(|algorithm| material.fits(*algorithm))?),
    };
    let kid = match member("kid") {
        None => None,
        Some(kid) => Some(kid.as_str()?.to_owned()),
    };
    let thumbprint = Sha256::digest(material.to_jwk()).into();
    Some(Key { kid, algorithm, material, thumbprint })
}

/// Whether the encoded point of an Ed25519 key (RFC 8032 §5.1.2) has a small order, so that everybody can make signatures
/// that verify under it, or is not encoded as it must be. Of each point, the y coordinate tells.
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn rsa(bits: usize) -> Value {
        json!({"kty": "RSA", "kid": "r", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8])})
    }

    fn ec() -> Value {
        let coordinate = URL_SAFE_NO_PAD.encode([7; 48]);
        json!({"kty": "EC", "kid": "e", "crv": "P-384", "alg": "ES384", "use": "sig", "x": coordinate, "y": coordinate})
    }

    fn with(mut jwk: Value, name: &str, value: Value) -> Value {
        jwk[name] = value;
        jwk
    }

    fn set(keys: &[Value]) -> Result<KeySet, KeySetError> {
        KeySet::parse(&json!({ "keys": keys }).to_string())
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // RFC 7638 §3.1.
        let key = usable(&json!({
            "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        }));
        assert_eq!(URL_SAFE_NO_PAD.encode(key.unwrap().thumbprint), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn unusable_keys_are_skipped_and_the_rest_stays() {
        for bad in [
            json!({"kty": "oct", "k": "AAAA", "kid": "o"}),
            with(rsa(2048), "d", json!("AQAB")),
            with(ec(), "d", json!("AQAB")),
            with(ec(), "use", json!("enc")),
            with(ec(), "key_ops", json!(["sign"])),
            with(ec(), "alg", json!("ES256")),
            with(ec(), "alg", json!("HS256")),
            with(ec(), "crv", json!("P-256")),
            with(ec(), "crv", json!("secp256k1")),
            with(ec(), "y", json!("AAAA")),
            with(rsa(2048), "e", json!("AQ")),
            with(rsa(2048), "e", json!("AAAC")),
            with(rsa(2048), "n", json!("not base64url!")),
            rsa(1024),
            rsa(2040),
            rsa(16384),
            json!({"kty": "OKP", "crv": "Ed448", "x": "AAAA"}),
            json!(null),
            json!("key"),
        ] {
            assert_eq!(set(std::slice::from_ref(&bad)), Err(KeySetError::NoUsableKey), "{bad}");
            assert_eq!(set(&[bad.clone(), ec()]).map(|keys| keys.iter().count()), Ok(1), "{bad}");
        }
    }

    #[test]
    fn rsa_keys_without_alg_serve_every_rsa_algorithm() {
        // Logto publishes RSA keys without `alg`.
        let keys = set(&[rsa(4096)]).unwrap();
        for algorithm in Algorithm::ALL {
            let is_rsa = algorithm.name().starts_with(['R', 'P']);
            assert_eq!(keys.select(Some("r"), algorithm).is_ok(), is_rsa, "{}", algorithm.name());
        }
    }

    #[test]
    fn alg_of_the_key_binds() {
        let keys = set(&[with(rsa(2048), "alg", json!("PS256"))]).unwrap();
        assert!(keys.select(Some("r"), Algorithm::PS256).is_ok());
        assert_eq!(keys.select(Some("r"), Algorithm::RS256).err(), Some(Reason::KeyMismatch));
    }

    #[test]
    fn exactly_one_key_must_fit() {
        let keys = set(&[rsa(2048), with(rsa(4096), "kid", json!("r"))]).unwrap();
        assert_eq!(keys.select(Some("r"), Algorithm::RS256).err(), Some(Reason::AmbiguousKey));
        let keys = set(&[rsa(2048), ec()]).unwrap();
        assert_eq!(keys.select(Some("e"), Algorithm::RS256).err(), Some(Reason::KeyMismatch));
        assert_eq!(keys.select(Some("x"), Algorithm::RS256).err(), Some(Reason::UnknownKey));
    }

    #[test]
    fn the_same_key_published_twice_is_one_key() {
        let keys = set(&[ec(), with(ec(), "use", json!(null))]).unwrap();
        assert!(keys.select(Some("e"), Algorithm::ES384).is_ok());
    }

    #[test]
    fn without_kid_the_algorithm_must_choose_one_key() {
        let keys = set(&[rsa(2048), ec()]).unwrap();
        assert_eq!(keys.select(None, Algorithm::ES384).map(|key| key.kid.clone()), Ok(Some("e".to_owned())));
        assert_eq!(keys.select(None, Algorithm::EdDSA).err(), Some(Reason::UnknownKey));
        let keys =
            set(&[ec(), with(with(ec(), "kid", json!("f")), "x", json!(URL_SAFE_NO_PAD.encode([9; 48])))]).unwrap();
        assert_eq!(keys.select(None, Algorithm::ES384).err(), Some(Reason::AmbiguousKey));
    }

    #[test]
    fn the_same_kid_for_two_algorithms_is_no_ambiguity() {
        let keys = set(&[with(rsa(2048), "kid", json!("k")), with(ec(), "kid", json!("k"))]).unwrap();
        assert!(keys.select(Some("k"), Algorithm::RS256).is_ok());
        assert!(keys.select(Some("k"), Algorithm::ES384).is_ok());
    }

    #[test]
    fn a_key_under_which_everybody_can_sign_is_not_used() {
        let key = |first: u8, middle: u8, last: u8| {
            let mut x = [middle; 32];
            (x[0], x[31]) = (first, last);
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": URL_SAFE_NO_PAD.encode(x)})
        };
        for (first, middle, last) in [
            (0, 0, 0),
            (0, 0, 0x80),
            (1, 0, 0),
            (1, 0, 0x80),
            (0xec, 0xff, 0x7f),
            (0xec, 0xff, 0xff),
            (0xed, 0xff, 0x7f),
            (0xee, 0xff, 0x7f),
            (0xff, 0xff, 0xff),
        ] {
            assert_eq!(set(&[key(first, middle, last)]), Err(KeySetError::NoUsableKey), "{first} {middle} {last}");
        }
        for eighth in ["xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"] {
            let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": eighth});
            assert_eq!(set(&[key]), Err(KeySetError::NoUsableKey), "{eighth}");
        }
        assert!(set(&[key(2, 0, 0)]).is_ok() && set(&[key(0xeb, 0xff, 0x7f)]).is_ok());
    }

    #[test]
    fn a_key_that_is_published_and_unusable_is_told_from_one_that_is_not_published() {
        let unusable = [
            rsa(1024),
            with(rsa(2048), "use", json!("enc")),
            with(rsa(2048), "e", json!("AQ")),
            with(rsa(2048), "n", json!("not base64url!")),
        ];
        for unusable in unusable {
            let keys = set(&[unusable.clone(), ec()]).unwrap();
            // Also if it comes out of the store.
            for keys in [KeySet::parse(&keys.to_document().to_string()).unwrap(), keys] {
                assert!(keys.has_only_unusable("r"), "{unusable}");
                assert!(!keys.has_only_unusable("e") && !keys.has_only_unusable("x"));
            }
        }
        // Beside a usable one of the same name it does no harm.
        let keys = set(&[rsa(1024), rsa(2048)]).unwrap();
        assert!(keys.select(Some("r"), Algorithm::RS256).is_ok() && !keys.has_only_unusable("r"));
    }

    #[test]
    fn the_order_of_keys_makes_no_other_set() {
        let one = set(&[rsa(2048), ec(), rsa(1024)]).unwrap();
        assert_eq!(one, set(&[rsa(1024), ec(), rsa(2048)]).unwrap());
        assert_ne!(one, set(&[rsa(2048), ec()]).unwrap());
        assert_ne!(one, set(&[rsa(2048), ec(), rsa(4096)]).unwrap());
        assert_ne!(one, set(&[rsa(2048), with(ec(), "kid", json!("other")), rsa(1024)]).unwrap());
    }

    #[test]
    fn what_goes_into_the_store_comes_out_the_same() {
        let keys = set(&[rsa(2048), ec(), with(ec(), "use", json!("enc"))]).unwrap();
        assert_eq!(KeySet::parse(&keys.to_document().to_string()), Ok(keys));
    }

    #[test]
    fn documents_that_are_no_sets_are_malformed() {
        for document in ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]"#] {
            assert_eq!(KeySet::parse(document), Err(KeySetError::Malformed), "{document}");
        }
        assert_eq!(set(&[]), Err(KeySetError::NoUsableKey));
    }

    proptest! {
        #[test]
        fn no_document_panics(kty in "RSA|EC|OKP|oct", crv in "P-256|P-384|P-521|Ed25519|x", n in "[A-Za-z0-9_-]{0,700}", e in "[A-Za-z0-9_-]{0,8}") {
            let _ = set(&[json!({"kty": kty, "crv": crv, "n": n, "e": e, "x": n, "y": e})]);
        }
    }
}
