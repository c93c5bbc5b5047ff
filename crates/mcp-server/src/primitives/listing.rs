//! What tools, resources, prompts and skills have in common: how they are shown, and to whom.

use crate::primitives::{
    connection::Declared,
    icon::{self, Icon},
};
use mcp_edge_identity::Requirements;
use mcp_edge_runtime::json::Object;

/// What tools, resources, templates and prompts have in common: how they are shown, and to whom.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    pub title: Option<String>,
    pub description: Option<String>,
    pub icons: Vec<Icon>,
    pub requirements: Requirements,
    pub connections: Declared,
}

impl Listing {
    /// Adds `title`, `description` and `icons` to the object under construction. `_meta` is its last member.
    pub fn describe(&self, object: Object) -> Object {
        object
            .maybe_text("title", self.title.as_deref())
            .maybe_text("description", self.description.as_deref())
            .maybe_raw("icons", icon::list(&self.icons).as_deref())
    }
}

/// The builder methods that say who may use it. They go with the field `listing`.
macro_rules! access_methods {
    () => {
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

        /// Not for access keys and personal access tokens: only for callers with an access token, which a sign-in or
        /// client credentials have obtained.
        pub fn refuses_keys(mut self) -> Self {
            self.listing.requirements.refuses_keys = true;
            self
        }
    };
}
pub(crate) use access_methods;

/// The builder methods that go with the fields `listing` and `name`. `$kind` precedes the name in what users read.
macro_rules! listing_methods {
    ($kind:literal) => {
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

        $crate::primitives::listing::access_methods!();

        /// Adds a connection, for [`Call::access`](crate::Call::access): the name that the vault's setting `CONNECTIONS`
        /// gives it, and the scopes that are needed, as the service calls them (`None::<&str>` if it has none). Each
        /// connection is added once, with all scopes.
        #[cfg(feature = "connections")]
        pub fn connection<I>(mut self, name: impl Into<String>, scopes: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            let scopes = scopes.into_iter().map(Into::into).collect();
            self.listing.connections = self.listing.connections.with($kind, &self.name, name.into(), scopes);
            self
        }

        /// Does not compile: connections need the feature `connections`.
        #[cfg(not(feature = "connections"))]
        pub fn connection<I>(self, _name: impl Into<String>, _scopes: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
            Self: $crate::FeatureConnections,
        {
            self
        }
    };
}
pub(crate) use listing_methods;
