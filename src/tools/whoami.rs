//! `whoami`: the identity that the user agreed to share with the client that asks.

use mcp_edge::{Call, Credential, Kind, Party, ToolError, ToolResult, schema, tool};
use serde_json::Value;

/// Who is signed in. A member about the user is present only if a granted scope covers it.
#[schema(output)]
pub struct WhoAmI<'a> {
    /// The user's id at the issuer; for a machine, the client's own id.
    sub: &'a str,
    /// The name the user signs in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    /// The user's full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The user's e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// Whether the provider has verified the e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    /// URL of the user's picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a str>,
    /// Who vouches for this identity.
    issuer: &'a str,
    /// The client that asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    /// The organization that the user acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    /// `first` if the client is the operator's own software, otherwise `third`.
    client_party: &'static str,
    /// `user`, `machine` for a client that acts for itself, or `unknown` if the token does not show which.
    kind: &'static str,
    /// What the client sent: an `access_token`, an `access_key`, or a `personal_access_token` of the provider.
    credential: &'static str,
    /// The id of the access key.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    /// What the client may do here.
    scopes: Vec<&'a str>,
    /// When the access token expires, in seconds since 1970.
    expires_at: u64,
}

// It needs no scope of its own: what it shows is what granted scopes cover.
/// Tells who is signed in: the identity that the user agreed to share with this client.
#[tool(title = "Who am I", read_only, closed_world, output_schema = result_schema())]
pub fn whoami(call: Call) -> Result<ToolResult, ToolError> {
    let identity = call.identity();
    let text = |name: &str| identity.claims().get(name).and_then(Value::as_str);
    ToolResult::json(&WhoAmI {
        sub: identity.subject(),
        username: text("username"),
        name: text("name"),
        email: text("email"),
        email_verified: identity.claims().get("email_verified").and_then(Value::as_bool),
        picture: text("picture"),
        issuer: identity.issuer(),
        client_id: identity.client_id(),
        organization_id: identity.organization_id(),
        client_party: match identity.party() {
            Party::First => "first",
            Party::Third => "third",
        },
        kind: match identity.kind() {
            Kind::User => "user",
            Kind::Machine => "machine",
            Kind::Unknown => "unknown",
        },
        credential: match identity.credential() {
            Credential::AccessToken => "access_token",
            Credential::AccessKey(_) => "access_key",
            Credential::PersonalAccessToken => "personal_access_token",
        },
        key_id: identity.key_id(),
        scopes: identity.scopes().iter().collect(),
        expires_at: identity.expires_at(),
    })
}

/// The schema of [`WhoAmI`], written out: what makes schemas from types is a thirtieth of the bundle, and a server without
/// other tools does without it. `Json<WhoAmI>` as the result would need neither this nor `output_schema`.
fn result_schema() -> Value {
    serde_json::from_str(include_str!("whoami.schema.json")).unwrap_or_default()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge::{
        IntoToolResult, Json,
        testing::{Client, run},
    };

    use super::*;

    #[test]
    fn the_schema_is_that_of_the_type() {
        let server = crate::server().expect("a server");
        let listed = run(Client::new(&server).request("tools/list", serde_json::json!({})));
        assert_eq!(Some(&listed.result()["tools"][0]["outputSchema"]), Json::<WhoAmI>::output_schema().as_ref());
    }
}
