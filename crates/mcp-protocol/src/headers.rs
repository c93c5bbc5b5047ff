//! The headers that repeat parts of the body, so that gateways can route without parsing it: `Mcp-Name` and
//! `Mcp-Param-*` (MCP 2026-07-28, basic/transports/streamable-http).
//!
//! A server must make sure that they say what the body says: otherwise a gateway could be led to route, bill or
//! filter another request than the one that is carried out.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::error::RpcError;
use mcp_edge_runtime::{base64::STANDARD, http::RequestHead};

/// The headers that are read of every message, besides those of parameters.
pub const HEADERS: [&str; 6] =
    ["content-type", "accept", "mcp-protocol-version", "mcp-method", "mcp-name", "content-encoding"];

/// The encoded form of a value starts with this …
const PREFIX: &str = "=?base64?";
/// … and ends with this. Both are exact, in lower case.
const SUFFIX: &str = "?=";

/// The start of the name of every header that repeats an argument, in lower case.
pub const PARAMETER_PREFIX: &str = "mcp-param-";

/// Encoded, but not as the specification has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not canonical base64 of UTF-8 text")]
pub struct Undecodable;

/// The text that a header value stands for.
///
/// A value without both markers stands for itself. Between them only canonical base64 (padded, no stray bits) of
/// UTF-8 is accepted: a lenient decoder would read values that a stricter gateway has read differently.
///
/// # Errors
/// [`Undecodable`].
pub fn decode(value: &str) -> Result<Cow<'_, str>, Undecodable> {
    let Some(encoded) = value.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else {
        return Ok(Cow::Borrowed(value));
    };
    let bytes = STANDARD.decode(encoded).ok_or(Undecodable)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Undecodable)
}

/// The header value that stands for a text: inverse of [`decode`].
///
/// The text itself where a header can carry it unchanged, which is visible ASCII with spaces inside; otherwise, and if it
/// looks as if it were encoded, its encoded form.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        // Wider than the marker: who reads the value may be less exact than it is.
        && !text.starts_with("=?");
    if is_plain {
        return Cow::Borrowed(text);
    }
    Cow::Owned([PREFIX, &STANDARD.encode(text), SUFFIX].concat())
}

/// Checks that `Mcp-Name` repeats `named`.
///
/// # Errors
/// If the header is missing, cannot be decoded, or says something else.
pub fn check_name(head: &RequestHead<'_>, named: &str) -> Result<(), RpcError> {
    let value = head.header("mcp-name").ok_or_else(|| RpcError::header("the Mcp-Name header is missing"))?;
    match decode(value) {
        Ok(name) if name == named => Ok(()),
        Ok(_) => Err(RpcError::header("the Mcp-Name header differs from the body")),
        Err(error) => Err(RpcError::header(format!("the Mcp-Name header is {error}"))),
    }
}

/// An argument that a tool wants to see repeated in a header (`x-mcp-header` in its schema).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The whole header name in lower case: `mcp-param-region`.
    pub header: String,
    /// The property names that lead to it from the root of the arguments.
    pub path: Vec<String>,
}

/// Checks the headers that repeat arguments.
///
/// An argument that is null or missing must not be expected in a header; a header that names one all the same
/// contradicts the body and is refused. An argument that has no header form (an array, say) is left to schema
/// validation, which tells the model what is wrong.
///
/// # Errors
/// The first argument whose header is missing, cannot be decoded, or says something else.
pub fn check_parameters(head: &RequestHead<'_>, parameters: &[Parameter], arguments: &Value) -> Result<(), RpcError> {
    for Parameter { header, path } in parameters {
        let argument = path.iter().try_fold(arguments, |value, name| value.get(name)).unwrap_or(&Value::Null);
        let matches = match (head.header(header), argument) {
            (None, Value::Null) | (_, Value::Array(_) | Value::Object(_)) => true,
            (None, _) => return Err(RpcError::header(format!("the {header} header is missing"))),
            (Some(value), argument) => {
                let text =
                    decode(value).map_err(|error| RpcError::header(format!("the {header} header is {error}")))?;
                repeats(&text, argument)
            }
        };
        if !matches {
            return Err(RpcError::header(format!("the {header} header differs from the body")));
        }
    }
    Ok(())
}

/// Whether `text` is the header form of `argument`. Numbers are compared by value, since `42.0` and `42` are the
/// same argument in JSON.
fn repeats(text: &str, argument: &Value) -> bool {
    match argument {
        Value::String(string) => text == string,
        Value::Bool(true) => text == "true",
        Value::Bool(false) => text == "false",
        Value::Number(number) => {
            let same = |other: Number| other.as_f64() == number.as_f64();
            // JSON allows space around a number, which no header does.
            text == number.to_string() || (text == text.trim() && serde_json::from_str(text).is_ok_and(same))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// `token` of RFC 9110 §5.6.2: one or more of the characters that may stand in a header name.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether a `Content-Type` names JSON, with any parameters.
#[must_use]
pub fn is_json(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}

/// Whether a `Content-Encoding` names anything but `identity`, which means that the body is as it is.
pub fn is_encoded(content_encoding: &str) -> bool {
    let mut codings = content_encoding.split(',').map(str::trim);
    !codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
}

/// Whether `Accept` allows an event stream. Without the header, JSON is the safe answer: a client that means to read
/// streams must say so in every revision.
#[must_use]
pub fn accepts_stream(accept: Option<&str>) -> bool {
    accept.unwrap_or_default().split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let refused = parts.any(|parameter| {
            parameter
                .strip_prefix("q=")
                .or_else(|| parameter.strip_prefix("Q="))
                .is_some_and(|quality| quality.bytes().all(|byte| matches!(byte, b'0' | b'.')))
        });
        let matches = ["text/event-stream", "text/*", "*/*"].iter().any(|known| media_type.eq_ignore_ascii_case(known));
        matches && !refused
    })
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_without_both_markers_stands_for_itself() {
        for value in ["", "plain", "=?base64?SGVsbG8=", "SGVsbG8=?=", "=?BASE64?SGVsbG8=?=", "=?base64?=", "=?base64"] {
            assert_eq!(decode(value).as_deref(), Ok(value));
        }
    }

    #[test]
    fn only_canonical_base64_is_decoded() {
        assert_eq!(decode("=?base64?SGVsbG8=?=").as_deref(), Ok("Hello"));
        assert_eq!(decode("=?base64??=").as_deref(), Ok(""));
        for encoded in ["SGVsbG8", "SGVsbG9=", "SGVs bG8=", "SGVsbG8==", "SGVs-_8=", "SGVs!!!", "/w==", "SGVsbG8=\n"] {
            assert_eq!(decode(&format!("=?base64?{encoded}?=")), Err(Undecodable), "{encoded}");
        }
    }

    #[test]
    fn what_a_header_cannot_carry_is_encoded() {
        for plain in ["", "get_weather", "file:///a b", "a=?base64?", "~!"] {
            assert_eq!(encode(plain), plain);
        }
        for (text, value) in [
            ("Wetter für Bern", "=?base64?V2V0dGVyIGbDvHIgQmVybg==?="),
            (" a", "=?base64?IGE=?="),
            ("a ", "=?base64?YSA=?="),
            ("a\nb", "=?base64?YQpi?="),
            ("a\tb", "=?base64?YQli?="),
            ("\u{7f}", "=?base64?fw==?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
            ("=?BASE64?YQ==?=", "=?base64?PT9CQVNFNjQ/WVE9PT89?="),
        ] {
            assert_eq!(encode(text), value, "{text:?}");
        }
    }

    fn parameters() -> Vec<Parameter> {
        vec![Parameter { header: "mcp-param-region".to_owned(), path: vec!["where".to_owned(), "region".to_owned()] }]
    }

    fn outcome(header: Option<&str>, argument: &Value) -> Result<(), String> {
        let mut head = RequestHead::new("POST", "/mcp");
        if let Some(header) = header {
            head = head.with_header("mcp-param-region", header);
        }
        let arguments = json!({"where": {"region": argument}});
        check_parameters(&head, &parameters(), &arguments).map_err(|error| error.message.into_owned())
    }

    #[test]
    fn an_argument_and_its_header_must_agree() {
        assert_eq!(outcome(Some("eu"), &json!("eu")), Ok(()));
        assert_eq!(outcome(Some("=?base64?ZXU=?="), &json!("eu")), Ok(()));
        assert_eq!(outcome(Some("42.0"), &json!(42)), Ok(()));
        assert_eq!(outcome(Some("42"), &json!(42.0)), Ok(()));
        assert_eq!(outcome(Some("true"), &json!(true)), Ok(()));
        assert_eq!(outcome(None, &Value::Null), Ok(()));
        assert_eq!(outcome(None, &json!([1])), Ok(()));
        let differs = Err("the mcp-param-region header differs from the body".to_owned());
        assert_eq!(outcome(Some("us"), &json!("eu")), differs);
        assert_eq!(outcome(Some("+42"), &json!(42)), differs);
        assert_eq!(outcome(Some("True"), &json!(true)), differs);
        assert_eq!(outcome(Some("eu"), &Value::Null), differs);
        assert_eq!(outcome(None, &json!("eu")), Err("the mcp-param-region header is missing".to_owned()));
        assert_eq!(
            outcome(Some("=?base64?ZXU?="), &json!("eu")),
            Err("the mcp-param-region header is not canonical base64 of UTF-8 text".to_owned())
        );
    }

    #[test]
    fn streams_are_sent_only_where_they_are_accepted() {
        for accept in ["application/json, text/event-stream", "TEXT/EVENT-STREAM", "*/*", "text/*;q=0.1"] {
            assert!(accepts_stream(Some(accept)), "{accept}");
        }
        for accept in [None, Some(""), Some("application/json"), Some("text/event-stream;q=0"), Some("text/event")] {
            assert!(!accepts_stream(accept), "{accept:?}");
        }
    }

    #[test]
    fn a_body_is_encoded_unless_all_codings_are_identity() {
        for value in ["", "identity", "Identity", "identity, IDENTITY", " , identity"] {
            assert!(!is_encoded(value), "{value}");
        }
        for value in ["gzip", "x-gzip", "br", "zstd", "deflate", "identity, gzip", "gzip, identity", "identity;q=1"] {
            assert!(is_encoded(value), "{value}");
        }
    }

    #[test]
    fn media_types_are_compared_without_case_and_parameters() {
        assert!(is_json(Some("Application/JSON ; charset=utf-8")));
        assert!(!is_json(Some("application/json-seq")));
        assert!(!is_json(None));
    }

    proptest! {
        #[test]
        fn every_encoded_text_is_decoded_again(text in ".*") {
            let value = format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(&text));
            prop_assert_eq!(decode(&value), Ok(Cow::Owned(text)));
        }

        #[test]
        fn a_header_value_arrives_as_it_was_meant(text in ".*", marked in "=[?]base64[?][A-Za-z0-9=]{0,8}([?]=)?") {
            for text in [text, marked] {
                let value = encode(&text).into_owned();
                let head = RequestHead::new("POST", "/mcp").with_header("mcp-name", &value);
                prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
                prop_assert_eq!(check_name(&head, &text), Ok(()));
            }
        }

        #[test]
        fn decoding_has_one_preimage(encoded in "[A-Za-z0-9+/=]{0,12}") {
            let value = format!("{PREFIX}{encoded}{SUFFIX}");
            if let Ok(text) = decode(&value) {
                prop_assert_eq!(STANDARD.encode(text.as_bytes()), encoded);
            }
        }

        #[test]
        fn no_header_value_panics(value in "\\PC*", argument in "\\PC*") {
            let _ = outcome(Some(&value), &json!(argument));
        }
    }
}
