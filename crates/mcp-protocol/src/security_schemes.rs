//! `securitySchemes` of a tool in lists: which scopes its callers need, as `OpenAI`'s clients read them
//! (developers.openai.com/plugins/reference), among the tool's members and in its `_meta`.

use mcp_edge_runtime::json::{Object, array, quote};

/// The name of the member.
pub const SECURITY_SCHEMES: &str = "securitySchemes";

/// The value for a tool that needs these scopes, as JSON: an access token with all of them.
pub fn security_schemes<'a>(scopes: impl IntoIterator<Item = &'a str>) -> String {
    let scopes = array(scopes.into_iter().map(quote));
    array([Object::new().text("type", "oauth2").raw("scopes", &scopes).close()])
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_needs_all_scopes_of_one_scheme() {
        assert_eq!(security_schemes(["a", "b:c"]), r#"[{"type":"oauth2","scopes":["a","b:c"]}]"#);
        assert_eq!(security_schemes([]), r#"[{"type":"oauth2","scopes":[]}]"#);
    }
}
