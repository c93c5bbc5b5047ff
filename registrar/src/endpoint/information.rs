//! The client information response (RFC 7591 §3.2.1, RFC 7592 §3), and what of it an update may repeat.

use mcp_edge_runtime::http::Response;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use crate::{client_metadata::error::MetadataError, record::Record, secret::Secret};

/// Members of the client information response that are the server's (RFC 7592 §2.2).
const SERVER_MEMBERS: [&str; 4] =
    ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];

/// The client information response of the endpoint at this URL. The registration access token in it is the one that was
/// just made or just presented: only its hash is stored.
pub(super) fn information(
    status: u16,
    endpoint: &str,
    client_id: &str,
    record: &Record,
    secret: Option<&Secret>,
    token: Option<&str>,
) -> Response {
    let mut body = serde_json::to_value(&record.metadata).unwrap_or_default();
    body["client_id"] = client_id.into();
    body["client_id_issued_at"] = record.created_at.into();
    if let Some(secret) = secret {
        body["client_secret"] = secret.expose().into();
        // It does not expire by itself.
        body["client_secret_expires_at"] = 0.into();
    }
    if let Some(token) = token {
        body["registration_access_token"] = token.into();
        body["registration_client_uri"] = json!(format!("{endpoint}/{client_id}"));
    }
    Response::json(status, body.to_string()).with_header("cache-control", "no-store").with_header("pragma", "no-cache")
}

/// Checks what an update may and must say beside the metadata (RFC 7592 §2.2).
pub(super) fn check_server_members(
    members: &Map<String, Value>,
    client_id: &str,
    secret: Option<&Secret>,
) -> Result<(), MetadataError> {
    // `null` counts as absent.
    let given = |member: &str| members.get(member).filter(|value| !value.is_null());
    if let Some(member) = SERVER_MEMBERS.iter().find(|member| given(member).is_some()) {
        return Err(MetadataError::metadata(*member, "must be left out of an update"));
    }
    if members.get("client_id").and_then(Value::as_str) != Some(client_id) {
        return Err(MetadataError::metadata("client_id", "must be that of the client"));
    }
    match given("client_secret") {
        None => Ok(()),
        Some(theirs) if theirs.as_str().is_some_and(|theirs| secret.is_some_and(|ours| is_same(ours, theirs))) => {
            Ok(())
        }
        Some(_) => Err(MetadataError::metadata("client_secret", "must be the current one, or left out")),
    }
}

fn is_same(secret: &Secret, text: &str) -> bool {
    secret.expose().as_bytes().ct_eq(text.as_bytes()).into()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_repeats_what_it_must_and_nothing_that_is_the_servers() {
        let secret = Secret::new("right".to_owned());
        let check = |members: Value, secret: Option<&Secret>| {
            check_server_members(members.as_object().unwrap(), "app-1", secret).map_err(|error| error.member)
        };
        assert_eq!(check(json!({"client_id": "app-1"}), None), Ok(()));
        assert_eq!(check(json!({"client_id": "app-1", "client_secret": "right"}), Some(&secret)), Ok(()));
        let mut with_null = json!({"client_id": "app-1", "client_secret": null});
        for member in SERVER_MEMBERS {
            with_null[member] = Value::Null;
            assert_eq!(check(json!({"client_id": "app-1", member: 1}), None), Err(member.to_owned()));
        }
        assert_eq!(check(with_null, Some(&secret)), Ok(()));
        for wrong in [json!("wrong"), json!(""), json!(1)] {
            let members = json!({"client_id": "app-1", "client_secret": wrong});
            assert_eq!(check(members.clone(), Some(&secret)), Err("client_secret".to_owned()));
            assert_eq!(check(members, None), Err("client_secret".to_owned()));
        }
        for wrong in [json!({}), json!({"client_id": null}), json!({"client_id": "app-2"})] {
            assert_eq!(check(wrong, None), Err("client_id".to_owned()));
        }
    }
}
