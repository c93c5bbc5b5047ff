//! The addresses below `/account/connect` and `/account/connections`.

use mcp_edge_connections::name::is_connection_name;

use crate::{
    pages::CONNECTIONS_PATH,
    sign_in::destination::{Destination, is_link_id},
};

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectRoute<'a> {
    /// The link with this id.
    Link(&'a str),
    /// The list.
    List,
    /// The connection with this name.
    One(&'a str),
    /// Back from its service.
    Callback(&'a str),
    /// Whether the account is the right one.
    Confirmation(&'a str),
    /// The metadata of our client at its service.
    ClientDocument(&'a str),
}

impl<'a> ConnectRoute<'a> {
    /// `None`: there is no such page.
    #[must_use]
    pub fn of(path: &'a str) -> Option<Self> {
        if let Some(id) = path.strip_prefix("/account/connect/") {
            return is_link_id(id).then_some(Self::Link(id));
        }
        let rest = path.strip_prefix(CONNECTIONS_PATH)?;
        if rest.is_empty() || rest == "/" {
            return Some(Self::List);
        }
        let rest = rest.strip_prefix('/')?;
        let (name, page) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_connection_name(name) {
            return None;
        }
        match page {
            "" if !rest.ends_with('/') => Some(Self::One(name)),
            "callback" => Some(Self::Callback(name)),
            "confirm" => Some(Self::Confirmation(name)),
            "client.json" => Some(Self::ClientDocument(name)),
            _ => None,
        }
    }

    /// The methods that it has. A callback has no HEAD: what looks at an address before its user must not use the code up.
    #[must_use]
    pub const fn methods(self) -> &'static str {
        match self {
            Self::Link(_) | Self::One(_) | Self::Confirmation(_) => "GET, HEAD, POST",
            Self::List | Self::ClientDocument(_) => "GET, HEAD",
            Self::Callback(_) => "GET",
        }
    }

    /// The name of the connection that it names.
    #[must_use]
    pub const fn connection(self) -> Option<&'a str> {
        match self {
            Self::Link(_) | Self::List => None,
            Self::One(name) | Self::Callback(name) | Self::Confirmation(name) | Self::ClientDocument(name) => {
                Some(name)
            }
        }
    }

    /// Where somebody goes on after signing in.
    #[must_use]
    pub fn destination(self) -> Destination {
        match self {
            Self::Link(id) => Destination::Link(id.to_owned()),
            _ => Destination::Connections,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_a_page() {
        for (path, route) in [
            ("/account/connect/aB3-_", Some(ConnectRoute::Link("aB3-_"))),
            ("/account/connections", Some(ConnectRoute::List)),
            ("/account/connections/", Some(ConnectRoute::List)),
            ("/account/connections/git-hub", Some(ConnectRoute::One("git-hub"))),
            ("/account/connections/github/callback", Some(ConnectRoute::Callback("github"))),
            ("/account/connections/github/confirm", Some(ConnectRoute::Confirmation("github"))),
            ("/account/connections/github/client.json", Some(ConnectRoute::ClientDocument("github"))),
            ("/account/connect", None),
            ("/account/connect/", None),
            ("/account/connect/a/b", None),
            ("/account/connect/..", None),
            ("/account/connectionsx", None),
            ("/account/connections/GitHub", None),
            ("/account/connections/github/", None),
            ("/account/connections/github/callback/", None),
            ("/account/connections//callback", None),
            ("/account/connections/github/other", None),
        ] {
            assert_eq!(ConnectRoute::of(path), route, "{path}");
        }
    }
}
