//! The accounts at other services that the handler of a primitive uses.

use std::rc::Rc;

use mcp_edge_runtime::json::{Object, array, quote};

/// A connection that a handler needs. What it is, the vault's setting `CONNECTIONS` says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredConnection {
    /// Its name.
    pub name: String,
    /// The scopes that are needed of it, as the service calls them.
    pub scopes: Vec<String>,
}

/// All connections of a primitive.
#[derive(Debug)]
pub(crate) struct Declared {
    /// What users read when they look up what has used their account.
    pub user_of_token: String,
    pub connections: Vec<RequiredConnection>,
}

impl Declared {
    /// Of a primitive whose connections are used by `kind` and `name` together; `None` if there are none.
    pub fn of(connections: Vec<RequiredConnection>, kind: &str, name: &str) -> Option<Rc<Self>> {
        let user_of_token = || [kind, name].concat();
        (!connections.is_empty()).then(|| Rc::new(Self { user_of_token: user_of_token(), connections }))
    }
}

/// What lists say of connections: the `_meta` of an item, if it has any. The key has a prefix of this product's own (MCP
/// 2026-07-28, basic: general fields).
pub(crate) fn meta(connections: &[RequiredConnection]) -> Option<String> {
    let items = connections.iter().map(|RequiredConnection { name, scopes }| {
        Object::new().text("name", name).raw("scopes", &array(scopes.iter().map(|scope| quote(scope)))).close()
    });
    (!connections.is_empty()).then(|| Object::new().raw("mcp-edge/connections", &array(items)).close())
}
