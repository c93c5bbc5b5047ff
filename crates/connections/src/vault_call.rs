//! The messages between an endpoint and the vault. They are lists that begin with a name, read and written by hand: derived,
//! they would be some KB of an endpoint's code.

use mcp_edge_runtime::{json::to_json, secret::Secret};
use serde_json::{Value, json};

use crate::{access::ServiceAccess, port::NoAccess};

/// The name of the message.
const ACCESS: &str = "access";

/// A request for a token of another service. The vault believes nothing but the credential, and verifies that itself: an
/// endpoint says neither who the user is nor what the token may do beyond what the vault's settings allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// The credential of the caller: what the endpoint was sent as `Authorization: Bearer`.
    pub credential: Secret,
    /// The name of the connection.
    pub connection: String,
    /// The scopes that are needed, as the service calls them.
    pub scopes: Vec<String>,
    /// What needs the token, as in [`TokenRequest::user_of_token`](crate::port::TokenRequest::user_of_token).
    pub user_of_token: String,
    /// A token that the service has refused.
    pub refused: Option<Secret>,
}

impl AccessRequest {
    /// The message. Inverse of [`AccessRequest::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { credential, connection, scopes, user_of_token, refused } = self;
        let refused = refused.as_ref().map(Secret::expose);
        to_json(&json!([ACCESS, credential.expose(), connection, scopes, user_of_token, refused]))
    }

    /// Reads a message. `None`: it is not one of these.
    #[must_use]
    pub fn from_json(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let text = |index: usize| message[index].as_str();
        if text(0)? != ACCESS {
            return None;
        }
        let scopes = message[3].as_array()?.iter().map(|scope| scope.as_str().map(str::to_owned));
        Some(Self {
            credential: Secret::new(text(1)?),
            connection: text(2)?.to_owned(),
            scopes: scopes.collect::<Option<_>>()?,
            user_of_token: text(4)?.to_owned(),
            refused: if message[5].is_null() { None } else { Some(Secret::new(text(5)?)) },
        })
    }
}

/// What the vault answers.
pub type AccessAnswer = Result<ServiceAccess, NoAccess>;

/// The answer as it is sent. Inverse of [`answer_from_json`].
#[must_use]
pub fn answer_to_json(answer: &AccessAnswer) -> String {
    let answer = match answer {
        Ok(ServiceAccess { connection, token, scopes, url }) => {
            json!(["token", connection, token.expose(), scopes, url])
        }
        Err(NoAccess::NotConnected { title, url }) => json!(["connect", title, url]),
        Err(NoAccess::Refused { title, cause }) => json!(["refused", title, cause]),
        Err(NoAccess::NeedsUser) => json!(["needs_user"]),
        Err(NoAccess::CallerRefused) => json!(["caller_refused"]),
        Err(NoAccess::Misconfigured { cause }) => json!(["misconfigured", cause]),
        Err(NoAccess::Unavailable { title, retry_after, cause }) => json!(["unavailable", title, cause, retry_after]),
    };
    to_json(&answer)
}

/// Reads an answer. `None`: it is not one of the vault's.
#[must_use]
pub fn answer_from_json(answer: &str) -> Option<AccessAnswer> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let text = |index: usize| answer[index].as_str().map(str::to_owned);
    Some(Err(match answer[0].as_str()? {
        "token" => {
            let token = Secret::new(text(2)?);
            return Some(Ok(ServiceAccess { connection: text(1)?, token, scopes: text(3)?, url: text(4)? }));
        }
        "connect" => {
            NoAccess::NotConnected { title: text(1)?, url: if answer[2].is_null() { None } else { Some(text(2)?) } }
        }
        "refused" => NoAccess::Refused { title: text(1)?, cause: text(2)? },
        "needs_user" => NoAccess::NeedsUser,
        "caller_refused" => NoAccess::CallerRefused,
        "misconfigured" => NoAccess::Misconfigured { cause: text(1)? },
        "unavailable" => NoAccess::Unavailable { title: text(1)?, cause: text(2)?, retry_after: answer[3].as_u64()? },
        _ => return None,
    }))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> AccessRequest {
        AccessRequest {
            credential: Secret::new("ey.caller"),
            connection: "github".to_owned(),
            scopes: vec!["repo:read".to_owned()],
            user_of_token: "issues".to_owned(),
            refused: Some(Secret::new("gho_refused")),
        }
    }

    #[test]
    fn the_messages_have_these_forms() {
        assert_eq!(request().to_json(), r#"["access","ey.caller","github",["repo:read"],"issues","gho_refused"]"#);
        let url = Some("https://mcp.example.com/account/connect/x".to_owned());
        assert_eq!(
            answer_to_json(&Err(NoAccess::NotConnected { title: "GitHub".to_owned(), url })),
            r#"["connect","GitHub","https://mcp.example.com/account/connect/x"]"#
        );
        assert_eq!(answer_to_json(&Err(NoAccess::NeedsUser)), r#"["needs_user"]"#);
    }

    #[test]
    fn what_is_no_message_is_not_read() {
        for message in [
            "",
            "null",
            "{}",
            "[]",
            r#"["other","c","n",[],"t",null]"#,
            r#"["access"]"#,
            r#"["access","c","n",[],"t",1]"#,
            r#"["access","c","n",["s",1],"t",null]"#,
            r#"["access","c","n","s","t",null]"#,
            r#"["access",null,"n",[],"t",null]"#,
            r#"["access","c","n",[],null,null]"#,
            r#"{"0":"access"}"#,
        ] {
            assert_eq!(AccessRequest::from_json(message), None, "{message}");
        }
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        for answer in [
            "",
            "null",
            "{}",
            "[]",
            "[1]",
            r#"["token"]"#,
            r#"["token","github","t","s",null]"#,
            r#"["token","github",null,"s","u"]"#,
            r#"["connect"]"#,
            r#"["connect","GitHub",1]"#,
            r#"["connect","GitHub",{"url":"https://evil.example"}]"#,
            r#"["refused","GitHub"]"#,
            r#"["unavailable","GitHub","down",-1]"#,
            r#"["unavailable","GitHub","down"]"#,
            r#"["misconfigured"]"#,
            r#"["of another version"]"#,
        ] {
            assert_eq!(answer_from_json(answer), None, "{answer}");
        }
    }

    #[test]
    fn debug_shows_no_credential() {
        let shown = format!("{:?}", request());
        assert!(!shown.contains("ey.caller") && !shown.contains("gho_refused") && shown.contains("github"), "{shown}");
    }

    fn refusals() -> impl Strategy<Value = NoAccess> {
        prop_oneof![
            (any::<String>(), any::<Option<String>>()).prop_map(|(title, url)| NoAccess::NotConnected { title, url }),
            (any::<String>(), any::<String>()).prop_map(|(title, cause)| NoAccess::Refused { title, cause }),
            Just(NoAccess::NeedsUser),
            Just(NoAccess::CallerRefused),
            any::<String>().prop_map(|cause| NoAccess::Misconfigured { cause }),
            (any::<String>(), any::<u64>(), any::<String>())
                .prop_map(|(title, retry_after, cause)| NoAccess::Unavailable { title, retry_after, cause }),
        ]
    }

    fn answers() -> impl Strategy<Value = AccessAnswer> {
        let access = any::<[String; 4]>().prop_map(|[connection, token, scopes, url]| ServiceAccess {
            connection,
            token: Secret::new(token),
            scopes,
            url,
        });
        prop_oneof![access.prop_map(Ok), refusals().prop_map(Err)]
    }

    proptest! {
        #[test]
        fn requests_are_read_as_they_were_written(
            [credential, connection, user_of_token]: [String; 3],
            scopes: Vec<String>,
            refused: Option<String>,
        ) {
            let refused = refused.map(Secret::new);
            let credential = Secret::new(credential);
            let request = AccessRequest { credential, connection, scopes, user_of_token, refused };
            prop_assert_eq!(AccessRequest::from_json(&request.to_json()), Some(request));
        }

        #[test]
        fn answers_are_read_as_they_were_written(answer in answers()) {
            prop_assert_eq!(answer_from_json(&answer_to_json(&answer)), Some(answer));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = (AccessRequest::from_json(&text), answer_from_json(&text));
        }
    }
}
