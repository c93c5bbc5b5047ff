//! Scope prefix: what a provider puts before the names of the resource's scopes.
//!
//! Some providers name a scope within a resource: a client of Amazon Cognito asks for
//! `<resource server identifier>/<scope>` and finds that name in its token; one of Microsoft Entra ID asks for
//! `<application ID URI>/<scope>`, and the token has the short name. The server uses short names throughout. The prefix is
//! added where clients read which scopes to request, and removed from the scopes of a token before anything is decided.

use std::borrow::Cow;

use mcp_edge_identity::Scopes;

/// The scopes of OpenID Connect (Core §5.4 and §11), which belong to no resource and never have a prefix.
const OPENID: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];

/// The prefix of the resource's scopes at the provider; empty if there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopePrefix(String);

impl ScopePrefix {
    /// Creates a prefix, which includes its separator.
    #[must_use]
    pub fn new(prefix: impl Into<String>) -> Self {
        Self(prefix.into())
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the prefix, if `scope` is a scope of this resource that begins with it. A scope of another resource
    /// is none, and neither are the names of OpenID Connect behind the prefix: no challenge names those.
    #[must_use]
    pub fn short<'a>(&self, scope: &'a str) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        scope.strip_prefix(self.0.as_str()).filter(|short| !short.is_empty() && !OPENID.contains(short))
    }

    /// What stands before `scope` when clients request it: the prefix, or nothing if the scope is one of OpenID Connect or
    /// begins with the prefix already.
    #[must_use]
    pub fn before(&self, scope: &str) -> &str {
        if OPENID.contains(&scope) || scope.starts_with(self.0.as_str()) { "" } else { &self.0 }
    }

    /// The names by which clients request `scopes`.
    #[must_use]
    pub fn requested<'a>(&self, scopes: &'a Scopes) -> Cow<'a, Scopes> {
        self.renamed(scopes, |prefix, scope, list| {
            *list += prefix.before(scope);
            *list += scope;
        })
    }

    /// The scopes of a token, without the prefix where they have it.
    #[must_use]
    pub fn strip<'a>(&self, granted: &'a Scopes) -> Cow<'a, Scopes> {
        self.renamed(granted, |prefix, scope, list| *list += prefix.short(scope).unwrap_or(scope))
    }

    /// Whether `scope` is one of this resource, where every scope names its resource and has no slash of its own: behind
    /// the prefix with one more part it is that of another resource, whose name begins with this one's.
    #[must_use]
    pub fn is_of_resource(&self, scope: &str) -> bool {
        self.short(scope).is_some_and(|short| !short.contains('/'))
    }

    /// The scopes of a token that are this resource's, without the prefix, and those of OpenID Connect; for providers where
    /// every scope names its resource.
    #[must_use]
    pub fn strip_own<'a>(&self, granted: &'a Scopes) -> Cow<'a, Scopes> {
        self.renamed(granted, |prefix, scope, list| {
            if prefix.is_of_resource(scope) {
                *list += prefix.short(scope).unwrap_or(scope);
            } else if OPENID.contains(&scope) {
                *list += scope;
            }
        })
    }

    /// The same scopes if there is no prefix; otherwise those whose names `add` adds to a list.
    fn renamed<'a>(&self, scopes: &'a Scopes, add: fn(&Self, &str, &mut String)) -> Cow<'a, Scopes> {
        if self.0.is_empty() {
            return Cow::Borrowed(scopes);
        }
        let mut list = String::new();
        for scope in scopes.iter() {
            add(self, scope, &mut list);
            list.push(' ');
        }
        Cow::Owned(Scopes::parse(&list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "api://notes/";

    fn requested(prefix: &str, scopes: &str) -> String {
        ScopePrefix::new(prefix).requested(&Scopes::parse(scopes)).to_string()
    }

    fn stripped(prefix: &str, granted: &str) -> String {
        ScopePrefix::new(prefix).strip(&Scopes::parse(granted)).to_string()
    }

    #[test]
    fn clients_request_scopes_with_the_prefix() {
        assert_eq!(requested(PREFIX, "write read"), "api://notes/read api://notes/write");
        assert_eq!(requested(PREFIX, "api"), "api://notes/api");
        assert_eq!(requested(PREFIX, ""), "");
    }

    #[test]
    fn scopes_of_openid_connect_have_no_prefix() {
        assert_eq!(
            requested(PREFIX, "openid profile email phone address offline_access"),
            "address email offline_access openid phone profile"
        );
        assert_eq!(requested(PREFIX, "Email emails"), "api://notes/Email api://notes/emails");
        assert_eq!(requested(PREFIX, "email read"), "api://notes/read email");
    }

    #[test]
    fn a_prefix_is_added_once() {
        assert_eq!(requested(PREFIX, "api://notes/read read"), "api://notes/read");
        assert_eq!(requested(PREFIX, "api://notes"), "api://notes/api://notes");
    }

    #[test]
    fn the_prefix_is_taken_off_where_it_is() {
        assert_eq!(stripped(PREFIX, "api://notes/write api://notes/read"), "read write");
        assert_eq!(stripped(PREFIX, "read api://notes/read"), "read");
        assert_eq!(stripped(PREFIX, "openid read"), "openid read");
        assert_eq!(stripped(PREFIX, "api://notes/api://notes/read"), "api://notes/read");
    }

    #[test]
    fn where_every_scope_names_its_resource_only_those_of_this_one_are_left() {
        let own = |granted: &str| ScopePrefix::new(PREFIX).strip_own(&Scopes::parse(granted)).to_string();
        assert_eq!(own("api://notes/read openid read files/read api://notes"), "openid read");
        assert_eq!(own("api://notes/admin/read api://notes/ api://notes/email"), "", "of others, or none at all");
        let none = ScopePrefix::default();
        assert_eq!(none.strip_own(&Scopes::parse("files/read")).to_string(), "files/read");
    }

    #[test]
    fn scopes_of_other_resources_stay_as_they_are() {
        for other in ["api://other/read", "API://notes/read", "api://notes:read", "api://notes/", "x-api://notes/read"]
        {
            assert_eq!(stripped(PREFIX, other), other);
        }
    }

    #[test]
    fn no_scope_behind_the_prefix_becomes_one_of_openid_connect() {
        assert_eq!(stripped(PREFIX, "api://notes/email"), "api://notes/email");
    }

    #[test]
    fn without_a_prefix_nothing_changes_and_nothing_is_copied() {
        let (none, scopes) = (ScopePrefix::default(), Scopes::parse("a /b api://notes/read"));
        assert!(matches!(none.requested(&scopes), Cow::Borrowed(same) if *same == scopes));
        assert_eq!(none.before("read"), "");
        assert!(matches!(none.strip(&scopes), Cow::Borrowed(same) if *same == scopes));
        assert_eq!(none.short("read"), None);
    }
}
