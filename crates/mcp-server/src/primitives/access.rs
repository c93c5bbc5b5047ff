//! What a caller must have to use a tool, resource or prompt, and who gets to see it in a list.

use crate::primitives::icon::{self, Icon};
use mcp_edge_identity::{Identity, Kind, Party, Scopes};
use mcp_edge_runtime::json::Object;

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
}

/// The conditions of one item. None unless declared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requirements {
    /// As declared, for the builder's check.
    pub named: Vec<String>,
    pub scopes: Scopes,
    pub user: bool,
    pub first_party: bool,
}

impl Requirements {
    pub fn scope(&mut self, name: String) {
        self.named.push(name);
        self.scopes = self.named.iter().map(String::as_str).collect();
    }

    /// Whether everybody whose token is accepted may use the item.
    pub fn is_open(&self) -> bool {
        self.named.is_empty() && !self.user && !self.first_party
    }

    /// Checks first what a further consent cannot provide, so that no user is asked for one that does not help.
    pub fn check(&self, identity: &Identity) -> Result<(), AccessNeeded> {
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
}

/// What tools, resources, templates and prompts have in common: how they are shown, and to whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    pub title: Option<String>,
    pub description: Option<String>,
    pub icons: Vec<Icon>,
    pub requirements: Requirements,
}

impl Listing {
    /// Adds `title`, `description` and `icons` to the object under construction.
    pub fn describe(&self, object: Object) -> Object {
        object
            .maybe_text("title", self.title.as_deref())
            .maybe_text("description", self.description.as_deref())
            .maybe_raw("icons", icon::list(&self.icons).as_deref())
    }
}

/// The builder methods that go with a field `listing`.
macro_rules! listing_methods {
    () => {
        /// What people read in place of the name.
        pub fn title(mut self, title: impl Into<String>) -> Self {
            self.listing.title = Some(title.into());
            self
        }

        /// What it is and when to use it; models read this.
        pub fn description(mut self, description: impl Into<String>) -> Self {
            self.listing.description = Some(description.into());
            self
        }

        /// Adds an icon.
        pub fn icon(mut self, icon: $crate::Icon) -> Self {
            self.listing.icons.push(icon);
            self
        }

        /// Adds a scope that the caller must have been granted. It must be declared with
        /// [`ServerBuilder::scope`](crate::ServerBuilder::scope). Callers without it do not see the item in
        /// lists.
        pub fn scope(mut self, scope: impl Into<String>) -> Self {
            self.listing.requirements.scope(scope.into());
            self
        }

        /// Only for users whose token proves that they are: refuses clients that act for themselves (client
        /// credentials), and tokens that do not show which of both it is.
        pub fn needs_user(mut self) -> Self {
            self.listing.requirements.user = true;
            self
        }

        /// Only for clients that the operator has listed as their own.
        pub fn first_party_only(mut self) -> Self {
            self.listing.requirements.first_party = true;
            self
        }
    };
}
pub(crate) use listing_methods;

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

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
}
