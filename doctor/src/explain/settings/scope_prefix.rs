//! `SCOPE_PREFIX`: what the provider puts before the scopes of this resource.

use super::{lists::is_scope, values::Values};

/// The scopes of OpenID Connect Core §5.4 and §11. They are of no resource.
const OPENID: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];

/// Whether a scope is one of OpenID Connect.
#[must_use]
pub fn is_openid(scope: &str) -> bool {
    OPENID.contains(&scope)
}

/// The prefix of the scopes of this resource; empty if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopePrefix(pub String);

impl ScopePrefix {
    /// Reads it, and checks that other settings name scopes without it; errors go into `errors`.
    pub fn read(values: &Values, errors: &mut Vec<String>) -> Self {
        let Some(prefix) = values.text("SCOPE_PREFIX") else { return Self::default() };
        if !is_scope(&prefix) || !prefix.ends_with('/') {
            errors.push(format!(
                "SCOPE_PREFIX = {prefix:?} must be what stands before the names of scopes at the provider, with the slash at \
                 its end, such as api://00000000-0000-0000-0000-000000000000/"
            ));
        }
        for name in ["REQUIRED_SCOPES", "SCOPE_HIERARCHY", "CLAIM_SCOPES"] {
            // What CLAIM_SCOPES has behind the = are claims.
            let has_it = |entry: &String| match name {
                "SCOPE_HIERARCHY" => entry.contains(&prefix),
                _ => entry.starts_with(&prefix),
            };
            if values.words(name).iter().any(has_it) {
                errors.push(format!("{name} must name scopes without SCOPE_PREFIX, {prefix:?}"));
            }
        }
        Self(prefix)
    }

    /// A scope of this resource without the prefix. `None` without the prefix, if nothing is behind it, or a scope of OpenID
    /// Connect, which no resource has.
    #[must_use]
    pub fn strip<'a>(&self, scope: &'a str) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        scope.strip_prefix(&self.0).filter(|rest| !rest.is_empty() && !is_openid(rest))
    }

    /// The same, where every scope names its resource: one with another slash is of a resource whose name begins with this
    /// one's.
    #[must_use]
    pub fn strip_own<'a>(&self, scope: &'a str) -> Option<&'a str> {
        self.strip(scope).filter(|rest| !rest.contains('/'))
    }

    /// The name by which clients ask for a scope.
    #[must_use]
    pub fn asked(&self, scope: &str) -> String {
        if is_openid(scope) || scope.starts_with(&self.0) { scope.to_owned() } else { format!("{}{scope}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openid_scopes_and_those_of_other_resources_keep_their_names() {
        let prefix = ScopePrefix("api://notes/".to_owned());
        assert_eq!((prefix.strip("api://notes/read"), prefix.strip_own("api://notes/a/b")), (Some("read"), None));
        for other in ["api://notes/email", "api://notes/", "read", "api://other/read"] {
            assert_eq!(prefix.strip(other), None, "{other}");
        }
        assert_eq!(
            ["read", "email", "api://notes/read"].map(|it| prefix.asked(it)),
            ["api://notes/read", "email", "api://notes/read"]
        );
        assert_eq!((ScopePrefix::default().strip("read"), ScopePrefix::default().asked("read")), (None, "read".into()));
    }
}
