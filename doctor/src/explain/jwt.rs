//! The compact serialization of a signed JWT (RFC 7515 §3.1, RFC 7519 §7.2), read strictly.

use std::fmt;

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// A JSON object as the token has it.
pub type Object = Map<String, Value>;

/// A JWT, before its signature is verified.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// The JOSE header.
    pub header: Object,
    /// The claims.
    pub claims: Object,
    /// What is signed: header and claims as they were sent.
    pub signing_input: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// What a token looks like.
#[derive(Debug)]
pub enum Form {
    /// A signed JWT.
    Jwt(Box<Jwt>),
    /// An encrypted JWT (RFC 7516 §3.1).
    Encrypted,
    /// A string without structure.
    Opaque,
}

/// Why a token that looks like a JWT is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// There are not three segments.
    #[error("it has {0} segments instead of 3: perhaps it was cut off")]
    Segments(usize),
    /// A segment is no base64url (RFC 4648 §5, without padding, canonical).
    #[error("its {0} is not base64url")]
    Base64(&'static str),
    /// A segment is no JSON object.
    #[error("its {0} is not a JSON object in UTF-8")]
    Json(&'static str),
    /// A name occurs twice.
    #[error("its {0} has {1:?} twice: two readers could read two different tokens")]
    Duplicate(&'static str, String),
}

/// Recognises and reads a token.
///
/// # Errors
/// [`JwtError`] if it looks like a JWT and is none.
pub fn parse(token: &str) -> Result<Form, JwtError> {
    let segments: Vec<&str> = token.split('.').collect();
    let first = segments.first().copied().unwrap_or_default();
    let (header, claims, signature) = match segments[..] {
        [header, claims, signature] if begins_with_brace(header) => (header, claims, signature),
        [header, _, _, _, _] if begins_with_brace(header) => return Ok(Form::Encrypted),
        // Opaque tokens may have dots, and begin like an object by chance.
        _ if object("header", first).is_ok_and(|header| header.contains_key("alg")) => {
            return Err(JwtError::Segments(segments.len()));
        }
        _ => return Ok(Form::Opaque),
    };
    Ok(Form::Jwt(Box::new(Jwt {
        header: object("header", header)?,
        claims: object("claims", claims)?,
        signing_input: format!("{header}.{claims}"),
        signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Base64("signature"))?,
    })))
}

/// Whether a segment is, or was meant to be, a JSON object in base64url.
fn begins_with_brace(segment: &str) -> bool {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let decoded = LENIENT.decode(segment.replace('+', "-").replace('/', "_")).unwrap_or_default();
    segment.starts_with("eyJ") || decoded.trim_ascii_start().first() == Some(&b'{')
}

fn object(segment: &'static str, text: &str) -> Result<Object, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JwtError::Base64(segment))?;
    let members: Members = serde_json::from_slice(&bytes).map_err(|_| JwtError::Json(segment))?;
    members.once().map_err(|name| JwtError::Duplicate(segment, name))
}

/// The members of a JSON object, repeated ones included (RFC 7515 §4 and RFC 7519 §4 forbid them).
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// The object, or the name that occurs twice.
    pub(crate) fn once(self) -> Result<Object, String> {
        let mut object = Object::new();
        for (name, value) in self.0 {
            if object.contains_key(&name) {
                return Err(name);
            }
            object.insert(name, value);
        }
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

/// A member of an object. `null` counts as absent.
#[must_use]
pub fn member<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// The end of the year 9999. A later date is one in milliseconds.
const LATEST_DATE: f64 = 253_402_300_799.0;

/// A date (RFC 7519 §2, `NumericDate`): seconds since 1970, perhaps with a fraction.
#[must_use]
pub fn date(value: &Value) -> Option<f64> {
    value.as_f64().filter(|date| (0.0..=LATEST_DATE).contains(date))
}

/// A member that is a string and not empty.
#[must_use]
pub fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
