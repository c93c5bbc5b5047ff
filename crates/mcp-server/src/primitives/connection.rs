//! The accounts at other services that the handler of a primitive uses.

use std::{cell::Cell, rc::Rc, time::Duration};

use mcp_edge_connections::{name::is_connection_name, port::Connections};
use mcp_edge_identity::is_scope_token;
use mcp_edge_runtime::json::{Object, array, quote};

use crate::primitives::required::{RequiredConnection, WrongConnection};

/// All connections of a primitive. They are kept for as long as the isolate lives, as servers are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Declared(Option<&'static Connected>);

#[derive(Debug)]
struct Connected {
    user_of_token: String,
    connections: Vec<RequiredConnection>,
    meta: String,
}

impl Declared {
    /// No connections.
    pub const NONE: Self = Self(None);

    /// The same with one more connection of a primitive. `kind` is what the primitive's name is preceded by in what users
    /// read.
    pub fn with(self, kind: &str, primitive: &str, name: String, scopes: Vec<String>) -> Self {
        let mut connections = self.all().to_vec();
        connections.push(RequiredConnection { name, scopes });
        let items = connections.iter().map(|RequiredConnection { name, scopes }| {
            Object::new().text("name", name).raw("scopes", &array(scopes.iter().map(|scope| quote(scope)))).close()
        });
        let meta = Object::new().raw("mcp-edge/connections", &array(items)).close();
        Self(Some(Box::leak(Box::new(Connected { user_of_token: [kind, primitive].concat(), connections, meta }))))
    }

    pub fn all(self) -> &'static [RequiredConnection] {
        self.0.map_or(&[], |declared| &declared.connections)
    }

    pub fn is_empty(self) -> bool {
        self.0.is_none()
    }

    /// These, or those if there are none.
    pub fn or(self, others: Self) -> Self {
        Self(self.0.or(others.0))
    }

    /// What lists say of them: the `_meta` of an item. The key has a prefix of this product's own (MCP 2026-07-28, basic:
    /// general fields).
    pub fn meta(self) -> Option<&'static str> {
        self.0.map(|declared| &*declared.meta)
    }

    /// Finds what no setting can mean.
    pub fn check(self) -> Result<(), WrongConnection> {
        let connections = self.all();
        for (index, RequiredConnection { name, scopes }) in connections.iter().enumerate() {
            if !is_connection_name(name) {
                return Err(WrongConnection::Name(name.clone()));
            }
            if let Some(scope) = scopes.iter().find(|scope| !is_scope_token(scope)) {
                return Err(WrongConnection::Scope(scope.clone()));
            }
            if connections[..index].iter().any(|earlier| earlier.name == *name) {
                return Err(WrongConnection::Twice(name.clone()));
            }
        }
        Ok(())
    }
}

/// What a handler may ask for tokens: what it declares, and what answers.
pub(crate) struct Access {
    connections: Option<Rc<dyn Connections>>,
    /// With the time that the handler has.
    declared: Cell<(Declared, Duration)>,
}

/// A connection that a handler declares.
pub(crate) struct DeclaredConnection {
    pub connections: Option<Rc<dyn Connections>>,
    pub needed: &'static RequiredConnection,
    /// What users read when they look up what has used their account.
    pub user_of_token: &'static str,
    /// How much time the handler has.
    pub time: Duration,
}

impl Access {
    pub fn new(connections: Option<Rc<dyn Connections>>) -> Self {
        Self { connections, declared: Cell::default() }
    }

    /// Sets what the handler declares, and how much time it has.
    pub fn declare(&self, declared: Declared, time: Duration) {
        self.declared.set((declared, time));
    }

    /// The connection of this name, if the handler declares it.
    pub fn find(&self, name: &str) -> Option<DeclaredConnection> {
        let (declared, time) = self.declared.get();
        let needed = declared.all().iter().find(|needed| needed.name == name)?;
        let user_of_token = declared.0.map_or("", |declared| &declared.user_of_token);
        Some(DeclaredConnection { connections: self.connections.clone(), needed, user_of_token, time })
    }
}
