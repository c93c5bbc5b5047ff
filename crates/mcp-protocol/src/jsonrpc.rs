//! JSON-RPC 2.0 messages as MCP uses them: reading them without copying, and writing answers.
//!
//! A message is read in layers. [`parse`] looks at the outermost members only and keeps `params` as the text it is;
//! [`Params`] does the same one level deeper. What a method does not ask for is never turned into values. Members
//! that occur twice make a message invalid, so that nobody who reads the same body with another parser can
//! understand another message.
//!
//! Depth: these layers do not recurse. What is parsed into a tree of values later (arguments, answers) may nest
//! 128 levels, which is the recursion limit of `serde_json`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};

use crate::{
    error::{Reason, RpcError},
    params::{Params, Text, is_empty_array, is_short_id},
    revision::Era,
};
use mcp_edge_runtime::json::Object;

/// What a POST carried.
#[allow(clippy::large_enum_variant, reason = "lives on the stack, and is nearly always the large one")]
pub enum Payload<'a> {
    /// One message.
    One(Message<'a>),
    /// An array; its elements are looked at one by one.
    Batch(Vec<&'a RawValue>),
}

/// One message of any kind.
pub struct Message<'a> {
    /// What kind of message it is.
    pub kind: Kind<'a>,
    /// `params`, as the JSON it is.
    pub params: Params<'a>,
}

/// The kinds of messages.
pub enum Kind<'a> {
    /// `id` is the JSON of it: a string or an integer.
    Request {
        /// JSON.
        id: &'a str,
        /// Its name, known or not.
        method: Cow<'a, str>,
    },
    /// A message that gets no answer.
    Notification {
        /// Its name, known or not.
        method: Cow<'a, str>,
    },
    /// A response. Nothing waits for one here.
    Response,
}

/// An error with the id to answer it with, as far as that could be read.
pub struct Unreadable<'a> {
    /// JSON.
    pub id: Option<&'a str>,
    /// Why it could not be read.
    pub error: RpcError,
}

impl From<RpcError> for Unreadable<'_> {
    fn from(error: RpcError) -> Self {
        Self { id: None, error }
    }
}

/// Reads the body of a POST.
///
/// A batch of more than `batch_length` messages is not read to its end.
///
/// # Errors
/// What is wrong with it, with the id to answer it with.
pub fn parse(body: &str, batch_length: usize) -> Result<Payload<'_>, Unreadable<'_>> {
    if !is_batch(body) {
        return parse_message(body).map(Payload::One);
    }
    elements(body, batch_length).map(Payload::Batch).map_err(|error| match error.classify() {
        Category::Data => RpcError::invalid_request("the batch is longer than allowed").into(),
        Category::Syntax | Category::Eof | Category::Io => RpcError::parse().into(),
    })
}

/// The elements of an array, each as the JSON it is. One of more than `limit` elements is not read to its end.
///
/// # Errors
/// If it is not an array, or longer than allowed: both of the category `Data`.
pub fn elements(json: &str, limit: usize) -> serde_json::Result<Vec<&RawValue>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let elements = deserializer.deserialize_seq(Elements { limit })?;
    deserializer.end()?;
    Ok(elements)
}

/// Whether a body is an array, and so a batch or none at all.
#[must_use]
pub fn is_batch(body: &str) -> bool {
    body.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('[')
}

/// Collects the elements of an array as long as there are not too many: an empty element costs two bytes of the body
/// but sixteen in memory.
struct Elements {
    limit: usize,
}

impl<'de> Visitor<'de> for Elements {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {} messages", self.limit)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = sequence.next_element()? {
            if elements.len() == self.limit {
                return Err(de::Error::invalid_length(self.limit + 1, &self));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Reads one message.
///
/// # Errors
/// What is wrong with it, with the id to answer it with.
pub fn parse_message(text: &str) -> Result<Message<'_>, Unreadable<'_>> {
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => RpcError::invalid_request("the body is not a JSON-RPC message"),
        Category::Syntax | Category::Eof | Category::Io => RpcError::parse(),
    })?;
    let id = wire.id.map(RawValue::get);
    let readable = id.filter(|id| is_short_id(id));
    let invalid = |message| Err(Unreadable { id: readable, error: RpcError::invalid_request(message) });

    if wire.jsonrpc.is_none_or(|Text(version)| version != "2.0") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    // Beside a method, `null` is what a client with one type for all messages writes for members that it leaves out.
    let answers =
        [wire.result, wire.error].into_iter().flatten().any(|raw| wire.method.is_none() || raw.get() != "null");
    let kind = match (wire.method, answers, id) {
        // The same client's notification. It gets no answer, so nobody misses an id.
        (Some(Text(method)), false, Some("null")) if method.starts_with("notifications/") => {
            Kind::Notification { method }
        }
        (Some(_), true, _) => return invalid("a message is either a request or a response"),
        (Some(Text(method)), false, Some(id)) if is_short_id(id) => Kind::Request { id, method },
        (Some(_), false, Some(_)) => return invalid("`id` must be a string or an integer of at most 1024 bytes"),
        (Some(Text(method)), false, None) => Kind::Notification { method },
        (None, true, _) => Kind::Response,
        (None, false, _) => return invalid("the body is neither a request nor a notification"),
    };
    let params = match wire.params.map(RawValue::get) {
        // `null` is not allowed, but harmless, and seen in notifications.
        None | Some("null") => Params::default(),
        Some(text) if text.starts_with('{') => match Params::parse(text) {
            Ok(params) => params.without_empty_arrays(),
            Err(_) => return invalid("`params` repeats a member or is not valid text"),
        },
        Some(text) if is_empty_array(text) => Params::default(),
        Some(_) => return invalid("`params` must be an object"),
    };
    Ok(Message { kind, params })
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Reads a member that may be missing but, if it is there, may also be `null`: serde alone takes one for the other.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What [`result`] adds to the id and the members, which it has room for.
const FRAME_BYTES: usize = 48;

/// A response whose result has the members of all these objects. `id` is JSON.
#[must_use]
pub fn result(id: &str, members: &[&Object]) -> String {
    let bytes = members.iter().map(|object| object.as_str().len() + 1).sum::<usize>();
    let response = Object::with_capacity(bytes + id.len() + FRAME_BYTES);
    response.raw("jsonrpc", "\"2.0\"").raw("id", id).object("result", members).close()
}

/// A response with an error. Without an id JSON-RPC 2.0 §5 asks for `null`.
#[must_use]
pub fn error(id: Option<&str>, code: i32, error: &RpcError) -> String {
    let body =
        Object::new().number("code", code).text("message", &error.message).maybe_raw("data", error.data.as_deref());
    Object::new().raw("jsonrpc", "\"2.0\"").raw("id", id.unwrap_or("null")).object("error", &[&body]).close()
}

/// A notification with its parameters.
#[must_use]
pub fn notification(method: &str, params: &Object) -> String {
    Object::new().raw("jsonrpc", "\"2.0\"").text("method", method).object("params", &[params]).close()
}

/// The body of an HTTP error that has no request to answer: no JSON could be read, or it was not wanted.
#[must_use]
pub fn anonymous_error(reason: Reason, message: &'static str) -> String {
    error(None, reason.code(Era::Modern), &RpcError::new(reason, message))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::ID_BYTES;

    fn rejection(body: &str) -> (i32, Option<String>) {
        match parse(body, 100) {
            Ok(_) => (0, None),
            Err(unreadable) => (unreadable.error.reason.code(Era::Modern), unreadable.id.map(str::to_owned)),
        }
    }

    #[test]
    fn a_request_is_read_without_copying() {
        let Ok(Payload::One(Message { kind: Kind::Request { id, method }, params })) =
            parse(r#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"whoami"}}"#, 100)
        else {
            panic!("not a request");
        };
        assert_eq!((id, &*method), ("\"x\"", "tools/call"));
        assert!(matches!(method, Cow::Borrowed(_)));
        assert_eq!(params.mirrored("name").map(RawValue::get), Some("\"whoami\""));
    }

    #[test]
    fn what_is_not_json_is_a_parse_error() {
        for body in ["", " ", "{", "{}x", "[1", "nope", "{\"jsonrpc\":\"2.0\",}"] {
            assert_eq!(rejection(body).0, -32700, "{body}");
        }
    }

    #[test]
    fn json_of_another_shape_is_an_invalid_request() {
        for body in [
            "1",
            "\"x\"",
            "null",
            "{}",
            r#"{"jsonrpc":"2.0"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":3}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        ] {
            assert_eq!(rejection(body).0, -32600, "{body}");
        }
    }

    #[test]
    fn an_id_is_a_string_or_an_integer_and_is_echoed_only_then() {
        for id in ["null", "1.5", "1e3", "true", "{}", "[]"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(rejection(&body), (-32600, None), "{id}");
        }
        assert_eq!(rejection(r#"{"jsonrpc":"1.0","id":-7,"method":"ping"}"#), (-32600, Some("-7".to_owned())));
    }

    #[test]
    fn an_id_has_a_limit() {
        let of = |id: &str| rejection(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        assert_eq!(of(&format!("\"{}\"", "i".repeat(ID_BYTES - 2))), (0, None));
        assert_eq!(of(&"1".repeat(ID_BYTES)), (0, None));
        assert_eq!(of(&format!("\"{}\"", "i".repeat(ID_BYTES - 1))), (-32600, None));
        assert_eq!(of(&"1".repeat(ID_BYTES + 1)), (-32600, None));
    }

    #[test]
    fn a_member_that_occurs_twice_makes_the_message_invalid() {
        assert_eq!(rejection(r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#).0, -32600);
        assert_eq!(
            rejection(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#),
            (-32600, Some("1".to_owned()))
        );
    }

    #[test]
    fn null_params_and_an_empty_array_count_as_none() {
        for params in ["null", "[]", "[ ]"] {
            let body = format!(r#"{{"jsonrpc":"2.0","method":"notifications/initialized","params":{params}}}"#);
            assert!(matches!(parse(&body, 100), Ok(Payload::One(Message { kind: Kind::Notification { .. }, .. }))));
        }
    }

    #[test]
    fn deep_nesting_is_skipped_without_recursion() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":{}{}}}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(matches!(parse(&deep, 100), Ok(Payload::One(_))));
    }

    #[test]
    fn a_batch_is_read_up_to_its_limit() {
        assert!(matches!(parse("[1, 2]", 2), Ok(Payload::Batch(elements)) if elements.len() == 2));
        for (body, code) in [("[1, 2, 3]", -32600), ("[1, 2, 3", -32600), ("[1, 2", -32700), ("[1] 2", -32700)] {
            let unreadable = parse(body, 2).err().map(|unreadable| unreadable.error.reason.code(Era::Modern));
            assert_eq!(unreadable, Some(code), "{body}");
        }
    }

    #[test]
    fn an_error_without_a_request_has_a_null_id() {
        assert_eq!(
            anonymous_error(Reason::Parse, "the body is not JSON"),
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the body is not JSON"}}"#
        );
    }
}
