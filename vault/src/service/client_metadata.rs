//! Our client at a service, as we describe it: in a document at its `client_id` (OAuth Client ID Metadata Document), or in a
//! request for registration (RFC 7591 §2).

use mcp_edge_runtime::json::{Object, array, quote};

/// What is said of our client for one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnClient<'a> {
    /// The origin that the pages are at.
    pub origin: &'a str,
    /// What users know us by.
    pub name: &'a str,
    /// The name of the connection.
    pub connection: &'a str,
    /// What may be asked for.
    pub scopes: &'a [String],
}

impl OwnClient<'_> {
    /// The one redirect URI of the connection: an answer that arrives there is one of its authorization server (RFC 9700
    /// §4.4.2.2).
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        redirect_uri(self.origin, self.connection)
    }

    /// The `client_id` that is the URL of [`OwnClient::document`].
    #[must_use]
    pub fn document_url(&self) -> String {
        document_url(self.origin, self.connection)
    }

    /// The client id metadata document, which is served at [`OwnClient::document_url`] as `application/json`: of a public client.
    #[must_use]
    pub fn document(&self) -> String {
        Object::new().text("client_id", &self.document_url()).with(&self.members("none")).close()
    }

    /// The body of a request for registration.
    #[must_use]
    pub fn registration(&self, method: &str) -> String {
        self.members(method).close()
    }

    fn members(&self, method: &str) -> Object {
        let object = Object::new()
            .text("client_name", self.name)
            .text("client_uri", self.origin)
            .raw("redirect_uris", &array([quote(&self.redirect_uri())]))
            .raw("grant_types", r#"["authorization_code","refresh_token"]"#)
            .raw("response_types", r#"["code"]"#)
            .text("application_type", "web")
            .text("token_endpoint_auth_method", method);
        if self.scopes.is_empty() { object } else { object.text("scope", &self.scopes.join(" ")) }
    }
}

/// The redirect URI of a connection.
#[must_use]
pub fn redirect_uri(origin: &str, connection: &str) -> String {
    [origin, "/account/connections/", connection, "/callback"].concat()
}

/// The URL of the client id metadata document of a connection.
#[must_use]
pub fn document_url(origin: &str, connection: &str) -> String {
    [origin, "/account/connections/", connection, "/client.json"].concat()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_document_is_of_a_public_client_with_one_redirect_uri() {
        let scopes = ["a".to_owned(), "b".to_owned()];
        let client = OwnClient {
            origin: "https://mcp.example.com",
            name: "My \"server\"",
            connection: "notes",
            scopes: &scopes,
        };
        let document: Value = serde_json::from_str(&client.document()).unwrap();
        assert_eq!(
            document,
            json!({
                "client_id": "https://mcp.example.com/account/connections/notes/client.json",
                "client_name": "My \"server\"",
                "client_uri": "https://mcp.example.com",
                "redirect_uris": ["https://mcp.example.com/account/connections/notes/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "application_type": "web",
                "token_endpoint_auth_method": "none",
                "scope": "a b",
            })
        );
        let registration: Value =
            serde_json::from_str(&OwnClient { scopes: &[], ..client }.registration("client_secret_post")).unwrap();
        assert_eq!(registration["token_endpoint_auth_method"], "client_secret_post");
        assert!(registration.get("client_id").is_none() && registration.get("scope").is_none());
    }
}
