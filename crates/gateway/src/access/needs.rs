//! What an entry of a table asks of a caller: `scope,user`, `allow` or `deny`.

use mcp_edge_identity::{Requirements, is_scope_token};

/// The words that are no scopes.
const KEYWORDS: [&str; 5] = ["allow", "deny", "user", "first_party", "no_keys"];

/// Reads needs that are separated by commas. `None` is `deny`.
///
/// # Errors
/// What they must be instead, as the end of a sentence about them.
pub fn parse(needs: &str) -> Result<Option<Requirements>, String> {
    let mut requirements = Requirements::default();
    match needs {
        "allow" => return Ok(Some(requirements)),
        "deny" => return Ok(None),
        _ => {}
    }
    for need in needs.split(',') {
        match need {
            "user" => requirements.user = true,
            "first_party" => requirements.first_party = true,
            "no_keys" => requirements.refuses_keys = true,
            "allow" | "deny" => return Err([need, " must stand alone, without other needs"].concat()),
            _ if KEYWORDS.iter().any(|keyword| need.eq_ignore_ascii_case(keyword)) => {
                return Err([need, " must be written in lower case"].concat());
            }
            _ if is_scope_token(need) => requirements.scope(need.to_owned()),
            "" => return Err("must name a scope, user, first_party, no_keys, allow or deny".to_owned()),
            _ => return Err([need, " is not a scope (visible ASCII without quote and backslash)"].concat()),
        }
    }
    Ok(Some(requirements))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use mcp_edge_identity::Scopes;

    use super::*;

    #[test]
    fn needs_are_scopes_and_conditions_on_the_caller() {
        let read = parse("docs:read,user,a,first_party").unwrap().unwrap();
        assert_eq!(read.scopes, Scopes::parse("a docs:read"));
        assert!(read.user && read.first_party);
        assert!(parse("allow").unwrap().unwrap().is_open());
        assert!(parse("deny").unwrap().is_none());
        let user = parse("user").unwrap().unwrap();
        assert!(user.user && !user.first_party && user.scopes.is_empty());
        assert!(!read.refuses_keys && !user.refuses_keys);
        let no_keys = parse("no_keys").unwrap().unwrap();
        assert!(no_keys.refuses_keys && !no_keys.user && no_keys.scopes.is_empty() && !no_keys.is_open());
        assert!(parse("a,user,no_keys").unwrap().unwrap().refuses_keys);
    }

    #[test]
    fn needs_that_cannot_be_meant_are_errors() {
        for (needs, problem) in [
            ("", "must name a scope"),
            ("a,", "must name a scope"),
            (",a", "must name a scope"),
            ("a,allow", "allow must stand alone"),
            ("deny,user", "deny must stand alone"),
            ("no_keys,allow", "allow must stand alone"),
            ("deny,no_keys", "deny must stand alone"),
            ("a,No_Keys", "No_Keys must be written in lower case"),
            ("Deny", "Deny must be written in lower case"),
            ("a,First_Party", "First_Party must be written in lower case"),
            ("\u{e4}", "is not a scope"),
            ("a\"b", "is not a scope"),
        ] {
            let error = parse(needs).expect_err(needs);
            assert!(error.contains(problem), "{needs}: {error}");
        }
    }
}
