//! Claim disclosure: which claims about a user tools may see. Those that a granted scope covers, and no others.
//!
//! A token or an introspection answer may carry more than the user agreed to share: at Logto, custom claims bypass
//! consent. So a claim passes only by OpenID Connect Core §5.4, or by the operator's own mapping. What is not mapped is
//! dropped before any tool sees it.

use serde_json::{Map, Value};

use mcp_edge_identity::{Scopes, is_scope_token};

/// OpenID Connect Core §5.4, and Logto's `username`, which belongs to `profile`.
const STANDARD: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// Which scope discloses which claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure(Vec<(String, Vec<String>)>);

impl Default for Disclosure {
    /// The standard mapping alone.
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self(STANDARD.iter().map(|(scope, claims)| ((*scope).to_owned(), owned(claims))).collect())
    }
}

impl Disclosure {
    /// The standard mapping and the operator's: entries `scope=claim,claim`, separated by spaces.
    ///
    /// # Errors
    /// The first entry that is not of this form.
    pub fn parse(mapping: &str) -> Result<Self, String> {
        let mut disclosure = Self::default();
        for entry in mapping.split_ascii_whitespace() {
            let (scope, claims) = entry.split_once('=').ok_or_else(|| entry.to_owned())?;
            let claims: Vec<String> = claims.split(',').map(str::to_owned).collect();
            if !is_scope_token(scope) || claims.iter().any(String::is_empty) {
                return Err(entry.to_owned());
            }
            disclosure.0.push((scope.to_owned(), claims));
        }
        Ok(disclosure)
    }

    /// Takes what may be shown from `claims`; a `null` is not worth showing.
    #[must_use]
    pub fn disclose(&self, claims: &Map<String, Value>, granted: &Scopes) -> Map<String, Value> {
        let covered = self.0.iter().filter(|(scope, _)| granted.contains(scope)).flat_map(|(_, names)| names);
        let present = covered.filter_map(|name| {
            claims.get(name).filter(|value| !value.is_null()).map(|value| (name.clone(), value.clone()))
        });
        // Not collected: a map sorts what it is collected from, with 9 KB of code for it.
        let mut disclosed = Map::new();
        disclosed.extend(present);
        disclosed
    }

    /// Whether any scope discloses the claim.
    #[must_use]
    pub fn names(&self, claim: &str) -> bool {
        self.0.iter().any(|(_, names)| names.iter().any(|name| name == claim))
    }

    /// Names of the claims that `scope` discloses.
    pub fn claims_of(&self, scope: &str) -> impl Iterator<Item = &str> {
        let entries = self.0.iter().filter(move |(known, _)| known == scope);
        entries.flat_map(|(_, claims)| claims).map(String::as_str)
    }

    /// Whether a granted scope covers any claim: if not, there is no point in asking for a profile.
    #[must_use]
    pub fn covers_anything(&self, granted: &Scopes) -> bool {
        self.0.iter().any(|(scope, _)| granted.contains(scope))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn disclosed(mapping: &str, granted: &str) -> Vec<String> {
        let claims = json!({
            "sub": "alice", "name": "Alice", "username": "alice", "email": "a@example.com", "picture": null,
            "custom_data": {"plan": "gold"}, "grant_id": "g",
        });
        let disclosure = Disclosure::parse(mapping).unwrap();
        let mut names: Vec<_> = disclosure
            .disclose(claims.as_object().unwrap(), &Scopes::parse(granted))
            .into_iter()
            .map(|it| it.0)
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn nothing_is_shown_by_default() {
        assert_eq!(disclosed("", "whoami:read openid"), Vec::<String>::new());
    }

    #[test]
    fn standard_scopes_disclose_their_claims() {
        assert_eq!(disclosed("", "profile"), ["name", "username"]);
        assert_eq!(disclosed("", "email"), ["email"]);
    }

    #[test]
    fn the_operators_mapping_adds_to_it() {
        assert_eq!(disclosed("whoami:read=name,email x=custom_data", "whoami:read"), ["email", "name"]);
        assert_eq!(disclosed("whoami:read=name,email x=custom_data", "x"), ["custom_data"]);
    }

    #[test]
    fn a_mapping_that_cannot_be_read_is_named() {
        for entry in ["whoami:read", "=name", "whoami:read=", "whoami:read=name,,email"] {
            assert_eq!(Disclosure::parse(entry), Err(entry.to_owned()));
        }
    }
}
