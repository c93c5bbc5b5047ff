//! The messages between an endpoint and the vault. They are lists that begin with a name, read and written by hand: derived,
//! they would be some KB of an endpoint's code.

use std::mem::take;

use mcp_edge_runtime::{json::to_json, secret::Secret};
use serde_json::{Value, json};

/// What an endpoint asks the vault.
#[derive(Debug, Clone)]
pub enum Request {
    /// An access token for a key.
    UseKey {
        /// The whole key.
        key: Secret,
    },
    /// An access token for a personal access token of the provider.
    ExchangePersonalToken {
        /// The personal access token.
        token: Secret,
    },
}

/// What the vault answers.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The provider's access token for a key, and what the key allows of it.
    Key(KeyToken),
    /// The provider's access token for a personal access token.
    PersonalToken {
        /// The access token.
        access_token: Secret,
        /// Until when it may be used without asking again, in seconds since 1970.
        until: u64,
        /// What personal access tokens may do (`PAT_SCOPES`), separated by spaces, without `SCOPE_PREFIX`.
        scopes: String,
    },
    /// The credential is not good.
    Refused(Refusal),
    /// It cannot be said now.
    Unavailable {
        /// Seconds until it makes sense to ask again.
        retry_after: u64,
        /// Why, for the operator's log; without secrets.
        cause: String,
    },
}

/// The provider's access token for a key, and what the key allows of it.
#[derive(Debug, Clone)]
pub struct KeyToken {
    /// The access token, a JWT.
    pub access_token: Secret,
    /// The id of the key.
    pub id: String,
    /// Whose key it is: `iss`.
    pub issuer: String,
    /// Whose key it is: `sub`.
    pub subject: String,
    /// The scopes of the key, separated by spaces, without `SCOPE_PREFIX`.
    pub scopes: String,
    /// The names of the tools that it may call; `None`: all that its scopes allow.
    pub tools: Option<Vec<String>>,
    /// Until when the access token may be used without asking again, in seconds since 1970.
    pub until: u64,
}

/// Why a credential is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Form or checksum are wrong.
    Malformed,
    /// There is no such key, or its secret is another.
    Unknown,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
    /// The provider has ended the grant behind it.
    Ended,
    /// The provider refuses the personal access token.
    PersonalToken,
}

const REFUSALS: [(Refusal, &str); 6] = [
    (Refusal::Malformed, "malformed"),
    (Refusal::Unknown, "unknown"),
    (Refusal::Expired, "expired"),
    (Refusal::Revoked, "revoked"),
    (Refusal::Ended, "ended"),
    (Refusal::PersonalToken, "personal_token"),
];

impl Request {
    /// The message. Inverse of [`Request::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let (name, secret) = match self {
            Self::UseKey { key } => ("use_key", key),
            Self::ExchangePersonalToken { token } => ("exchange_personal_token", token),
        };
        to_json(&[name, secret.expose()])
    }

    /// Reads a message. `None`: it is not one of ours.
    #[must_use]
    pub fn from_json(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let secret = Secret::new(message[1].as_str()?);
        match message[0].as_str()? {
            "use_key" => Some(Self::UseKey { key: secret }),
            "exchange_personal_token" => Some(Self::ExchangePersonalToken { token: secret }),
            _ => None,
        }
    }
}

impl Answer {
    /// The answer as it is sent. Inverse of [`Answer::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let answer = match self {
            Self::Key(KeyToken { access_token, id, issuer, subject, scopes, tools, until }) => {
                json!(["key", access_token.expose(), id, issuer, subject, scopes, tools, until])
            }
            Self::PersonalToken { access_token, until, scopes } => {
                json!(["personal_token", access_token.expose(), until, scopes])
            }
            Self::Refused(refusal) => {
                let name = REFUSALS.iter().find(|(known, _)| known == refusal).map(|(_, name)| *name);
                json!(["refused", name])
            }
            Self::Unavailable { retry_after, cause } => json!(["unavailable", retry_after, cause]),
        };
        to_json(&answer)
    }

    /// Reads an answer. `None`: it is not one of the vault's.
    #[must_use]
    pub fn from_json(answer: &str) -> Option<Self> {
        use Value::String as Text;

        let Ok(Value::Array(mut members)) = serde_json::from_str(answer) else { return None };
        let (Text(name), members) = members.split_first_mut()? else { return None };
        Some(match (&**name, members) {
            ("key", [Text(access_token), Text(id), Text(issuer), Text(subject), Text(scopes), tools, until, ..]) => {
                Self::Key(KeyToken {
                    access_token: Secret::new(take(access_token)),
                    id: take(id),
                    issuer: take(issuer),
                    subject: take(subject),
                    scopes: take(scopes),
                    tools: if tools.is_null() { None } else { Some(names_of(tools)?) },
                    until: until.as_u64()?,
                })
            }
            ("personal_token", [Text(access_token), until, Text(scopes), ..]) => Self::PersonalToken {
                access_token: Secret::new(take(access_token)),
                until: until.as_u64()?,
                scopes: take(scopes),
            },
            ("refused", [Text(name), ..]) => Self::Refused(REFUSALS.iter().find(|(_, known)| known == name)?.0),
            ("unavailable", [retry_after, Text(cause), ..]) => {
                Self::Unavailable { retry_after: retry_after.as_u64()?, cause: take(cause) }
            }
            _ => return None,
        })
    }
}

/// The strings of a list.
fn names_of(tools: &mut Value) -> Option<Vec<String>> {
    let name_of = |name: &mut Value| if let Value::String(name) = name { Some(take(name)) } else { None };
    tools.as_array_mut()?.iter_mut().map(name_of).collect()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that a message holds: its debug form hides the secrets.
    fn content(answer: &Answer) -> (String, Option<String>) {
        let token = match answer {
            Answer::Key(KeyToken { access_token, .. }) | Answer::PersonalToken { access_token, .. } => {
                Some(access_token.expose().to_owned())
            }
            Answer::Refused(_) | Answer::Unavailable { .. } => None,
        };
        (format!("{answer:?}"), token)
    }

    #[test]
    fn requests_are_read_as_they_were_written() {
        let secret = "mcpk_\"\\\u{e9}\n";
        let requests = [
            Request::UseKey { key: Secret::new(secret) },
            Request::ExchangePersonalToken { token: Secret::new(secret) },
        ];
        for request in requests {
            match (Request::from_json(&request.to_json()), &request) {
                (Some(Request::UseKey { key }), Request::UseKey { .. }) => assert_eq!(key.expose(), secret),
                (Some(Request::ExchangePersonalToken { token }), Request::ExchangePersonalToken { .. }) => {
                    assert_eq!(token.expose(), secret);
                }
                (other, _) => panic!("{request:?} became {other:?}"),
            }
        }
    }

    #[test]
    fn every_refusal_has_a_name() {
        for (refusal, _) in REFUSALS {
            let answer = Answer::Refused(refusal);
            assert_eq!(Answer::from_json(&answer.to_json()).as_ref().map(content), Some(content(&answer)));
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "\"use_key\"",
            r#"["use_key"]"#,
            r#"["use_key",1]"#,
            r#"["revoke","a"]"#,
            r#"["key","t","i","s","u","a",[1],5]"#,
            r#"["key","t","i","s","u","a",null,-5]"#,
            r#"["key","t"]"#,
            r#"["personal_token","t"]"#,
            r#"["personal_token","t",5]"#,
            r#"["refused","other"]"#,
            r#"["refused",null]"#,
            r#"["unavailable","5",""]"#,
        ] {
            assert!(Request::from_json(text).is_none() && Answer::from_json(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn answers_are_read_as_they_were_written(
            strings in prop::array::uniform5("\\PC{0,20}"),
            tools in prop::option::of(prop::collection::vec("\\PC{0,10}", 0..4)),
            number: u64,
        ) {
            let [access_token, id, issuer, subject, scopes] = strings;
            let cause = subject.clone();
            let access_token = Secret::new(access_token);
            let answers = [
                Answer::PersonalToken { access_token: access_token.clone(), until: number, scopes: scopes.clone() },
                Answer::Unavailable { retry_after: number, cause },
                Answer::Key(KeyToken { access_token, id, issuer, subject, scopes, tools, until: number }),
            ];
            for answer in answers {
                prop_assert_eq!(Answer::from_json(&answer.to_json()).as_ref().map(content), Some(content(&answer)));
            }
        }
    }
}
