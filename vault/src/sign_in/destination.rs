//! Where a user goes on after signing in. It is one of our own pages, named and never an address, so that no link to the
//! sign-in leads anywhere else.

use mcp_edge_sign_in::form::Form;
use serde::{Deserialize, Serialize};

use crate::pages::CONNECTIONS_PATH;

/// Longer than any id of a link.
const MAX_LINK_BYTES: usize = 64;

/// Where a user goes on after signing in, other than with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// The list of connected accounts.
    Connections,
    /// The link with this id, by which an account is connected.
    Link(String),
}

impl Destination {
    /// Reads the query of a sign-in: `to=connections` or `connect=<id>`, once. `None`: neither, or not an id.
    #[must_use]
    pub fn of(query: &str) -> Option<Self> {
        let query = Form::parse(query);
        match (query.only("to")?, query.only("connect")?) {
            ("connections", "") => Some(Self::Connections),
            ("", id) if is_link_id(id) => Some(Self::Link(id.to_owned())),
            _ => None,
        }
    }

    /// The path of the page.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Connections => CONNECTIONS_PATH.to_owned(),
            Self::Link(id) => link_path(id),
        }
    }

    /// The path of a sign-in that leads there.
    #[must_use]
    pub fn sign_in_path(&self) -> String {
        match self {
            Self::Connections => "/account/sign-in?to=connections".to_owned(),
            Self::Link(id) => format!("/account/sign-in?connect={id}"),
        }
    }
}

/// The path of the link with this id.
#[must_use]
pub fn link_path(id: &str) -> String {
    format!("/account/connect/{id}")
}

/// Whether a text can be the id of a link: characters that mean nothing in a URL or a header, and not too many of them.
#[must_use]
pub fn is_link_id(text: &str) -> bool {
    (1..=MAX_LINK_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_own_pages_is_a_destination() {
        assert_eq!(Destination::of("to=connections"), Some(Destination::Connections));
        assert_eq!(Destination::of("connect=aB3-_"), Some(Destination::Link("aB3-_".to_owned())));
        for query in [
            "",
            "connect=",
            "connect=a&connect=b",
            "connect=a&to=connections",
            "to=keys",
            "to=https://evil.example",
            "connect=../keys",
            "connect=%2F%2Fevil.example",
            "connect=a%0d%0ab",
            "connect=a?b",
        ] {
            assert_eq!(Destination::of(query), None, "{query}");
        }
        assert_eq!(Destination::of(&format!("connect={}", "x".repeat(65))), None);
        for destination in [Destination::Connections, Destination::Link("x".to_owned())] {
            let (_, query) =
                destination.sign_in_path().split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            assert_eq!(Destination::of(&query), Some(destination));
        }
    }
}
