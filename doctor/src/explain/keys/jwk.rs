//! A key of a key set (RFC 7517), and whether it can verify signatures.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The minimum of RFC 7518 §3.3: 2048 bits.
const MIN_RSA_BYTES: usize = 256;

/// Longer keys take seconds, and nobody has them.
pub const MAX_RSA_BITS: usize = 8192;

/// The longest exponent.
const MAX_EXPONENT_BYTES: usize = 8;

/// A public key that can verify signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    /// `kid`.
    pub kid: Option<String>,
    /// `alg`: the one algorithm that it is for.
    pub algorithm: Option<String>,
    /// `issuer`, with which Entra publishes whose tokens a key verifies.
    pub issuer: Option<String>,
    /// What it verifies with.
    pub material: Material,
}

/// The numbers of a key, in base64url as published.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of RFC 7518 §6")]
pub enum Material {
    Rsa { n: String, e: String },
    Ec { curve: Curve, x: String, y: String },
    Ed25519 { x: String },
}

/// A curve of RFC 7518 §6.2.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the curves")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// `crv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The length of a coordinate, and half of that of a signature.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The only `alg` of its signatures (RFC 7518 §3.4).
    #[must_use]
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::P256 => "ES256",
            Self::P384 => "ES384",
            Self::P521 => "ES512",
        }
    }
}

impl Jwk {
    /// Reads a key.
    ///
    /// # Errors
    /// Why it cannot verify, to follow "a key that".
    pub fn parse(value: &Value) -> Result<Self, &'static str> {
        // RFC 7518 §6.2.2 and §6.3.2: each of these gives the private key away, or a part of it.
        const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
        let member = |name: &str| value[name].as_str();
        let present = |name: &str| value.get(name).filter(|value| !value.is_null());
        if PRIVATE.iter().any(|name| present(name).is_some()) {
            return Err("is private, and everybody can read it");
        }
        if present("use").is_some_and(|usage| usage != "sig") {
            return Err("is not for signatures (use)");
        }
        let operations = present("key_ops");
        if operations.is_some_and(|it| !it.as_array().is_some_and(|it| it.iter().any(|each| each == "verify"))) {
            return Err("is not for verification (key_ops)");
        }
        let material = match (member("kty"), member("crv")) {
            (Some("RSA"), _) => rsa(member("n"), member("e"))?,
            (Some("EC"), Some(name)) => {
                let curve =
                    Curve::ALL.into_iter().find(|curve| curve.name() == name).ok_or("is of an unknown curve")?;
                let coordinate = |name: &str| sized(member(name), curve.bytes()).ok_or("has a broken coordinate");
                Material::Ec { curve, x: coordinate("x")?, y: coordinate("y")? }
            }
            (Some("OKP"), Some("Ed25519")) => {
                let x = sized(member("x"), 32).ok_or("is broken")?;
                if is_of_small_order(&x) {
                    return Err("is a point of small order, for which anybody can sign");
                }
                Material::Ed25519 { x }
            }
            _ => return Err("is of an unknown kind"),
        };
        let algorithm = match present("alg") {
            None => None,
            Some(algorithm) => Some(algorithm.as_str().ok_or("has an alg that is no string")?.to_owned()),
        };
        if present("kid").is_some_and(|kid| !kid.is_string()) {
            return Err("has a kid that is no string");
        }
        // What is no string is nobody's issuer.
        let issuer = present("issuer").map(|issuer| issuer.as_str().unwrap_or_default().to_owned());
        let own = |name: &str| member(name).map(str::to_owned);
        let key = Self { kid: own("kid"), algorithm, issuer, material };
        match &key.algorithm {
            Some(algorithm) if !key.is_for(algorithm) => {
                Err("is for an alg (RFC 7517 §4.4) that such keys do not have")
            }
            _ => Ok(key),
        }
    }

    /// Whether the key can have made a signature of this `alg`.
    #[must_use]
    pub fn fits(&self, algorithm: &str) -> bool {
        let same = |one: &str| one == algorithm || (is_eddsa(one) && is_eddsa(algorithm));
        self.is_for(algorithm) && self.algorithm.as_deref().is_none_or(same)
    }

    /// Whether keys of this kind make signatures of this `alg`.
    fn is_for(&self, algorithm: &str) -> bool {
        match &self.material {
            Material::Rsa { .. } => ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].contains(&algorithm),
            Material::Ec { curve, .. } => curve.algorithm() == algorithm,
            Material::Ed25519 { .. } => is_eddsa(algorithm),
        }
    }

    /// The thumbprint (RFC 7638), in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // The members in the order of their names, as serde_json writes a map.
        let members = match &self.material {
            Material::Rsa { n, e } => json!({ "e": e, "kty": "RSA", "n": n }),
            Material::Ec { curve, x, y } => json!({ "crv": curve.name(), "kty": "EC", "x": x, "y": y }),
            Material::Ed25519 { x } => json!({ "crv": "Ed25519", "kty": "OKP", "x": x }),
        };
        URL_SAFE_NO_PAD.encode(Sha256::digest(members.to_string()))
    }
}

/// `Ed25519` is the newer name (RFC 9864).
fn is_eddsa(algorithm: &str) -> bool {
    matches!(algorithm, "EdDSA" | "Ed25519")
}

/// Whether an encoded point of Ed25519 is one of the eight of small order, or another encoding of one (the list of
/// libsodium's `ge25519_has_small_order`). The last bit is the sign of x, which does not matter.
fn is_of_small_order(x: &str) -> bool {
    // y of 0, 1, p - 1, p and p + 1, where p is 2^255 - 19; then of the four points of order 8.
    const ENCODINGS: [&str; 7] = [
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "7P_______________________________________38",
        "7f_______________________________________38",
        "7v_______________________________________38",
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    ];
    let mut bytes = URL_SAFE_NO_PAD.decode(x).unwrap_or_default();
    if let Some(last) = bytes.last_mut() {
        *last &= 0x7f;
    }
    ENCODINGS.contains(&URL_SAFE_NO_PAD.encode(bytes).as_str())
}

fn rsa(n: Option<&str>, e: Option<&str>) -> Result<Material, &'static str> {
    let number = |text: Option<&str>| {
        let bytes = URL_SAFE_NO_PAD.decode(text?).ok()?;
        Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>())
    };
    let (modulus, exponent) = (number(n).ok_or("is broken")?, number(e).ok_or("is broken")?);
    if modulus.len() < MIN_RSA_BYTES || (modulus.len() == MIN_RSA_BYTES && modulus[0] < 0x80) {
        return Err("is shorter than 2048 bits");
    }
    if modulus.len() > MAX_RSA_BITS / 8 {
        return Err("is longer than 8192 bits");
    }
    if e.and_then(|e| URL_SAFE_NO_PAD.decode(e).ok()).is_some_and(|bytes| bytes.len() > MAX_EXPONENT_BYTES) {
        return Err("has an exponent of more than 8 bytes");
    }
    // With the exponent 1 everybody can sign; an even one has no inverse.
    if exponent.last().is_none_or(|last| last % 2 == 0) || exponent == [1] {
        return Err("has an exponent with which anybody can sign");
    }
    Ok(Material::Rsa { n: n.unwrap_or_default().to_owned(), e: e.unwrap_or_default().to_owned() })
}

fn sized(text: Option<&str>, bytes: usize) -> Option<String> {
    let text = text?;
    (URL_SAFE_NO_PAD.decode(text).ok()?.len() == bytes).then(|| text.to_owned())
}
