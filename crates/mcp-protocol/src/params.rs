//! The parameters of requests (`params` and `params._meta`): picked out of a message by name, as the JSON they are.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::error::RpcError;

/// 1 KiB for the id of a request and for a progress token, which come back in answers, and the latter in each
/// notification. Clients count, or make a UUID.
pub const ID_BYTES: usize = 1024;

/// The parameters of all methods together, each as the JSON it is: what a method reads, it checks.
#[derive(Default)]
pub struct Params<'a> {
    /// `_meta`
    pub meta: Option<&'a RawValue>,
    /// `name`
    pub name: Option<&'a RawValue>,
    /// `uri`
    pub uri: Option<&'a RawValue>,
    /// `arguments`
    pub arguments: Option<&'a RawValue>,
    /// `cursor`
    pub cursor: Option<&'a RawValue>,
    /// `inputResponses`
    pub input_responses: Option<&'a RawValue>,
    /// `requestState`
    pub request_state: Option<&'a RawValue>,
    /// `protocolVersion`
    pub protocol_version: Option<&'a RawValue>,
    /// `level`
    pub level: Option<&'a RawValue>,
    /// `ref`
    pub reference: Option<&'a RawValue>,
    /// `argument`
    pub argument: Option<&'a RawValue>,
    /// `context`
    pub context: Option<&'a RawValue>,
}

/// The members of `params._meta` that mean something to a server (MCP 2026-07-28, basic).
#[derive(Default)]
pub struct Meta<'a> {
    /// `io.modelcontextprotocol/protocolVersion`
    pub version: Option<&'a RawValue>,
    /// `io.modelcontextprotocol/clientCapabilities`
    pub capabilities: Option<&'a RawValue>,
    /// `io.modelcontextprotocol/clientInfo`
    pub client: Option<&'a RawValue>,
    /// `io.modelcontextprotocol/logLevel`
    pub log_level: Option<&'a RawValue>,
    /// `progressToken`
    pub progress_token: Option<&'a RawValue>,
}

/// Reads the members of a type by their names on the wire. A name stands beside its field, so that none can be read into
/// another's.
macro_rules! parse_members {
    ($type:ident { $($field:ident: $name:literal,)* }) => {
        impl<'a> $type<'a> {
            /// Creates it of members that were picked out already; `member` gets their names.
            pub fn of(member: impl Fn(&str) -> Option<&'a RawValue>) -> Self {
                Self { $($field: member($name)),* }
            }

            /// Picks the members out of an object.
            ///
            /// # Errors
            /// If it is not an object, or one of these members occurs twice.
            pub fn parse(json: &'a str) -> serde_json::Result<Self> {
                let [$($field),*] = pick_members(json, &[$($name),*])?;
                Ok(Self { $($field),* })
            }
        }
    };
}

parse_members!(Params {
    meta: "_meta",
    name: "name",
    arguments: "arguments",
    uri: "uri",
    cursor: "cursor",
    input_responses: "inputResponses",
    request_state: "requestState",
    protocol_version: "protocolVersion",
    level: "level",
    reference: "ref",
    argument: "argument",
    context: "context",
});

parse_members!(Meta {
    version: "io.modelcontextprotocol/protocolVersion",
    capabilities: "io.modelcontextprotocol/clientCapabilities",
    client: "io.modelcontextprotocol/clientInfo",
    log_level: "io.modelcontextprotocol/logLevel",
    progress_token: "progressToken",
});

impl<'a> Params<'a> {
    /// Without the objects that are written as an empty array, which count as absent: PHP has one type for both, and its
    /// clients send `"arguments": []` for a call without arguments.
    #[must_use]
    pub fn without_empty_arrays(mut self) -> Self {
        for member in [&mut self.arguments, &mut self.context] {
            *member = member.filter(|raw| !is_empty_array(raw.get()));
        }
        self
    }

    /// `_meta`, or nothing if there is none or it is not an object.
    ///
    /// # Errors
    /// If it is an object that different readers would read differently: then it must not count as none, which would
    /// make another message of it.
    pub fn read_meta(&self) -> Result<Option<Meta<'a>>, RpcError> {
        match self.meta.map(RawValue::get) {
            Some(text) if text.starts_with('{') => Meta::parse(text)
                .map(Some)
                .map_err(|_| RpcError::invalid_request("params._meta is malformed, or has a member twice")),
            _ => Ok(None),
        }
    }

    /// The member that names what a request is about: `name` or `uri`.
    #[must_use]
    pub fn mirrored(&self, member: &str) -> Option<&'a RawValue> {
        if member == "uri" { self.uri } else { self.name }
    }
}

/// Whether `json` is an id that MCP allows, a string or an integer, not null; and no longer than it needs to be, since
/// answers repeat it. `1.0` is an integer, too (JSON Schema, core §4.2.3): languages whose only numbers are floating-point
/// write it so.
#[must_use]
pub fn is_short_id(json: &str) -> bool {
    if json.len() > ID_BYTES {
        return false;
    }
    if json.starts_with('"') {
        return true;
    }
    let digits = json.strip_prefix('-').unwrap_or(json);
    let digits = digits.strip_suffix(".0").unwrap_or(digits);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `json`, which begins with its first byte, is an array without elements.
#[must_use]
pub fn is_empty_array(json: &str) -> bool {
    json.strip_prefix('[').is_some_and(|rest| rest.trim_ascii_start() == "]")
}

/// The string that `raw` is, if it is one.
#[must_use]
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|Text(text)| text)
}

/// A progress token: a string or an integer, as an id.
#[must_use]
pub fn is_token(raw: &RawValue) -> bool {
    is_short_id(raw.get())
}

/// The members with these names of an object. All others are skipped. One of these that occurs twice is an error, and one
/// that is `null` counts as absent: clients in languages whose serializers write every field send that for what they leave
/// out, and nothing that is read here has a meaning for it.
///
/// # Errors
/// If it is not an object, or one of these members occurs twice.
pub fn pick_members<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
) -> serde_json::Result<[Option<&'a RawValue>; N]> {
    let mut found = [None; N];
    pick(json, names, &mut found)?;
    Ok(found)
}

fn pick<'a>(json: &'a str, names: &[&str], found: &mut [Option<&'a RawValue>]) -> serde_json::Result<()> {
    serde_json::Deserializer::from_str(json).deserialize_map(Pick { names, found: &mut *found })?;
    for raw in found {
        *raw = raw.filter(|raw| raw.get() != "null");
    }
    Ok(())
}

struct Pick<'p, 'de> {
    names: &'p [&'p str],
    found: &'p mut [Option<&'de RawValue>],
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = members.next_key()? {
            let place = self.names.iter().position(|known| *known == name);
            match place.and_then(|place| self.found.get_mut(place)) {
                Some(Some(_)) => return Err(de::Error::custom("a member occurs twice")),
                Some(place) => *place = Some(members.next_value()?),
                None => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A string that borrows from the message unless it contains escapes.
#[derive(Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);
