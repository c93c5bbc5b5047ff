//! What a caller must have for an operation, and what one lacks.

use crate::{Identity, Kind, Party, Scopes};

/// What the identity of a request lacks for what it asks. Not a JSON-RPC error: it is answered as HTTP 403 with a
/// challenge (MCP 2026-07-28, basic/authorization), which is not this module's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessNeeded {
    /// Scopes: all that the operation needs, not just the missing ones, so that a client which asks for exactly these
    /// gets a token that works.
    Scopes(Scopes),
    /// A user: the token belongs to a client that acts for itself, or does not show whose it is.
    User,
    /// One of the operator's own clients.
    FirstParty,
    /// An access token: the operation refuses access keys and personal access tokens.
    AccessToken,
    /// Another access key: the caller's is for other tools.
    KeyForTool,
    /// A credential that the vault accepts as well: it has refused the caller's, which was accepted here.
    AcceptedCredential,
}

/// The conditions of one item. None unless declared.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// As declared, for the builder's check.
    pub named: Vec<String>,
    /// The scopes of the token must cover all of these.
    pub scopes: Scopes,
    /// Only for users.
    pub user: bool,
    /// Only for the operator's own clients.
    pub first_party: bool,
    /// Not with an access key or a personal access token.
    pub refuses_keys: bool,
}

impl Requirements {
    /// Adds a scope.
    pub fn scope(&mut self, name: String) {
        self.named.push(name);
        self.scopes = self.named.iter().map(String::as_str).collect();
    }

    /// Whether everybody whose token is accepted may use the item.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.named.is_empty() && !self.user && !self.first_party && !self.refuses_keys
    }

    /// Checks first what a further consent cannot provide, so that no user is asked for one that does not help.
    ///
    /// # Errors
    /// What the identity lacks.
    pub fn check(&self, identity: &Identity) -> Result<(), AccessNeeded> {
        if self.refuses_keys && !identity.credential().is_access_token() {
            return Err(AccessNeeded::AccessToken);
        }
        if self.first_party && identity.party() != Party::First {
            return Err(AccessNeeded::FirstParty);
        }
        if self.user && identity.kind() != Kind::User {
            return Err(AccessNeeded::User);
        }
        if !identity.scopes().covers(&self.scopes) {
            return Err(AccessNeeded::Scopes(self.scopes.clone()));
        }
        Ok(())
    }

    /// The same for the tool of this name, which the caller's access key may not be for. Scopes are not asked for then: with
    /// them the key would not be for the tool either.
    ///
    /// # Errors
    /// What the identity lacks.
    pub fn check_tool(&self, name: &str, identity: &Identity) -> Result<(), AccessNeeded> {
        match self.check(identity) {
            Ok(()) | Err(AccessNeeded::Scopes(_)) if !identity.may_call(name) => Err(AccessNeeded::KeyForTool),
            checked => checked,
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Credential;

    #[test]
    fn the_challenge_names_all_scopes_of_the_operation() {
        let mut needed = Requirements::default();
        needed.scope("notes:write".to_owned());
        needed.scope("notes:read".to_owned());
        let identity = Identity::for_test("ada", "notes:read");
        let all = Scopes::parse("notes:read notes:write");
        assert_eq!(needed.check(&identity), Err(AccessNeeded::Scopes(all.clone())));
        assert_eq!(needed.check(&identity.with(|verified| verified.scopes = all)), Ok(()));
    }

    #[test]
    fn what_no_consent_can_provide_is_reported_first() {
        let mut needed = Requirements { user: true, first_party: true, ..Requirements::default() };
        needed.scope("a".to_owned());
        let identity = Identity::for_test("machine", "");
        let identity = identity.with(|verified| verified.kind = Kind::Machine);
        assert_eq!(needed.check(&identity), Err(AccessNeeded::FirstParty));
        let identity = identity.with(|verified| verified.party = Party::First);
        assert_eq!(needed.check(&identity), Err(AccessNeeded::User));
        let identity = identity.with(|verified| verified.kind = Kind::Unknown);
        assert_eq!(needed.check(&identity), Err(AccessNeeded::User));
        let identity = identity.with(|verified| verified.kind = Kind::User);
        assert_eq!(needed.check(&identity), Err(AccessNeeded::Scopes(Scopes::parse("a"))));
    }

    #[test]
    fn no_scope_is_asked_for_that_a_key_for_other_tools_would_not_help() {
        let mut needed = Requirements::default();
        needed.scope("a".to_owned());
        let with = |tools: &[&str], scopes: &str| Identity::for_test("ada", scopes).with_access_key(Some(tools));
        assert_eq!(needed.check_tool("search", &with(&["search"], "a")), Ok(()));
        assert_eq!(needed.check_tool("search", &with(&["read"], "a")), Err(AccessNeeded::KeyForTool));
        assert_eq!(needed.check_tool("search", &with(&["read"], "")), Err(AccessNeeded::KeyForTool));
        assert_eq!(needed.check_tool("search", &with(&["search"], "")), Err(AccessNeeded::Scopes(Scopes::parse("a"))));
        // What another key would not help either comes first.
        let needed = Requirements { first_party: true, ..needed };
        assert_eq!(needed.check_tool("search", &with(&["read"], "")), Err(AccessNeeded::FirstParty));
        assert_eq!(needed.check_tool("search", &Identity::for_test("ada", "")), Err(AccessNeeded::FirstParty));
    }

    #[test]
    fn what_refuses_keys_takes_access_tokens_alone() {
        let mut needed = Requirements { refuses_keys: true, user: true, ..Requirements::default() };
        needed.scope("a".to_owned());
        assert!(!Requirements { refuses_keys: true, ..Requirements::default() }.is_open());
        let machine = Identity::for_test("ada", "").with(|verified| verified.kind = Kind::Machine);
        let personal = machine.clone().with(|verified| verified.credential = Credential::PersonalAccessToken);
        for identity in [personal, machine.clone().with_access_key(None)] {
            assert_eq!(needed.check(&identity), Err(AccessNeeded::AccessToken));
            // A key is never of the operator's own client: that is what the caller can do something about.
            let needed = Requirements { first_party: true, ..needed.clone() };
            assert_eq!(needed.check(&identity), Err(AccessNeeded::AccessToken));
            assert_eq!(Requirements::default().check(&identity), Ok(()));
        }
        assert_eq!(needed.check(&machine), Err(AccessNeeded::User));
    }
}
