//! A deployment as services see it, and each of its connections with what is known of its service.

use mcp_edge_runtime::{public_host::is_public_host, uri::host_of};

use super::{hosts::Hosts, known::Known};
use crate::connection::{
    address::Reach,
    settings::{Connection, Kind, Service},
};

/// What services learn of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The origin that the pages are at.
    pub origin: String,
    /// What users know us by.
    pub name: String,
    /// `RESOURCE`: under its name the store is written to.
    pub resource: String,
}

impl Own {
    /// Whether services can fetch documents from here.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.origin.starts_with("https://") && is_public_host(host_of(&self.origin).0)
    }
}

/// A connection, and what is known of its service.
pub struct OfConnection {
    /// The connection.
    pub connection: Connection,
    /// Its service.
    pub service: Service,
    /// Where requests may go.
    pub hosts: Hosts,
    /// What this isolate knows of its authorization server.
    pub known: Known,
}

impl OfConnection {
    /// Creates it without anything known; `None` for connections of other kinds than `connect`.
    #[must_use]
    pub fn new(connection: &Connection, reach: Reach) -> Option<Self> {
        let Kind::Connect(service) = &connection.kind else { return None };
        let hosts = Hosts::of(connection, service, reach);
        Some(Self { connection: connection.clone(), service: (**service).clone(), hosts, known: Known::default() })
    }

    /// The name of the connection.
    #[must_use]
    pub const fn name(&self) -> &str {
        self.connection.name.as_str()
    }

    /// The resource indicator (RFC 8707).
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.service.resource.as_deref()
    }
}
