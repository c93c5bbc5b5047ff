//! Who may register, and how much: the operator's decisions.

use mcp_edge_oauth::Scopes;

use crate::digest::sha256_hex;

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Anybody, within [`Limits`].
    Open,
    /// Bearers of an initial access token (RFC 7591 §3).
    Token,
    /// Users who are signed in and have the required scope.
    Developers,
}

/// The operator's decisions.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Who may register.
    pub mode: Mode,
    /// What clients may ask users for at most.
    pub allowed_scopes: Scopes,
    /// Schemes of redirect URIs without a dot that are accepted beside the well-known ones.
    pub private_use_schemes: Vec<String>,
    /// Limits.
    pub limits: Limits,
}

/// Limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Registrations of one address in an hour, in [`Mode::Open`].
    pub per_address_and_hour: u32,
    /// Clients in all.
    pub clients: u32,
    /// Clients of one developer.
    pub per_developer: u32,
    /// After so many days a client ends that nobody ever signed in through, unless a developer made it in the portal.
    pub unused_days: u32,
    /// After so many days without a sign-in any client ends.
    pub idle_days: u32,
}

/// Who asks for a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registrant {
    /// Anybody at this network (see [`client_network`](crate::client_network)).
    Anyone {
        /// An address, or the part of it that stands for one household.
        network: String,
    },
    /// The bearer of an initial access token.
    InitialToken {
        /// The operator's name for it.
        name: String,
        /// Tells it from others of that name.
        id: String,
    },
    /// A signed-in developer.
    Developer {
        /// `iss`
        issuer: String,
        /// `sub`
        subject: String,
    },
}

impl Registrant {
    /// For the audit log: groups what one stranger did without naming their address.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Anyone { network } => format!("anyone:{}", &sha256_hex(network)[..12]),
            Self::InitialToken { name, .. } => format!("token:{name}"),
            Self::Developer { subject, .. } => format!("developer:{subject}"),
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_log_names_no_address() {
        assert!(!Registrant::Anyone { network: "192.0.2.7".into() }.label().contains("192.0.2.7"));
    }
}
