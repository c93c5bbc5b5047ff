//! The rows that the rules decide by, and what they write.

use mcp_edge_runtime::sql::SqlError;

use crate::rate_window::Window;

/// A reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Whether there is room for a client.
    pub is_admitted: bool,
    /// The developer whose client it becomes.
    pub owner: Option<String>,
    /// The initial access token of which a use is reserved, and when it expires.
    pub token: Option<(String, u64)>,
    /// When the reservation ends, in seconds since 1970.
    pub until: u64,
}

/// The change that a client was last locked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The change that is in progress.
    pub id: String,
    /// Until when, in seconds since 1970.
    pub until: u64,
    /// The metadata that the last change wrote, as JSON.
    pub metadata: Option<String>,
    /// When it was written.
    pub written_at: u64,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// The developer whose client it is.
    pub owner: Option<String>,
    /// When it was registered, in seconds since 1970.
    pub registered_at: u64,
}

/// Clients and reservations that have room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Occupied {
    /// In all.
    pub total: u32,
    /// Those of the developer who was asked about.
    pub of_owner: u32,
}

/// Something to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Writes a reservation.
    Reservation(String, Reservation),
    /// Deletes a reservation.
    NoReservation(String),
    /// Writes a client, if there is none of this id.
    Client(Client),
    /// Deletes a client with everything that belongs to it.
    NoClient(String),
    /// Writes a use of a token that led to a client, until the token expires.
    Use {
        /// The token.
        token: String,
        /// The client.
        client_id: String,
        /// When the token expires.
        expires_at: u64,
    },
    /// Deletes the use of a token that led to this client.
    NoUse(String),
    /// Writes a count.
    Window(String, Window),
    /// Writes the change of a client.
    Change(String, Change),
    /// Notes that the clients of earlier versions are there.
    Imported,
    /// Deletes what has ended before this moment.
    Prune(u64),
}

/// The rows of a ledger. Reading and writing are synchronous: between them nothing else happens.
pub trait Rows {
    /// Creates the tables that are missing. Every message but the first of a new object finds them there, so they are
    /// created when one is missed, and not with each message.
    ///
    /// # Errors
    /// [`SqlError`].
    fn prepare(&self) -> Result<(), SqlError>;

    /// Whether the clients of earlier versions are there.
    ///
    /// # Errors
    /// [`SqlError`].
    fn is_imported(&self) -> Result<bool, SqlError>;

    /// The reservation with this id, if it has not ended at `now`.
    ///
    /// # Errors
    /// [`SqlError`].
    fn reservation(&self, id: &str, now: u64) -> Result<Option<Reservation>, SqlError>;

    /// Clients and admitted reservations at `now`.
    ///
    /// # Errors
    /// [`SqlError`].
    fn occupied(&self, owner: Option<&str>, now: u64) -> Result<Occupied, SqlError>;

    /// Uses of a token, and reservations of some, at `now`.
    ///
    /// # Errors
    /// [`SqlError`].
    fn uses(&self, token: &str, now: u64) -> Result<u32, SqlError>;

    /// Whether there is this client.
    ///
    /// # Errors
    /// [`SqlError`].
    fn has_client(&self, client_id: &str) -> Result<bool, SqlError>;

    /// The count under a key.
    ///
    /// # Errors
    /// [`SqlError`].
    fn window(&self, key: &str) -> Result<Window, SqlError>;

    /// The change that a client was last locked for.
    ///
    /// # Errors
    /// [`SqlError`].
    fn change(&self, client_id: &str) -> Result<Change, SqlError>;

    /// So many clients whose ids come after this one, in order, with the times of their registration.
    ///
    /// # Errors
    /// [`SqlError`].
    fn clients(&self, after: &str, limit: u32) -> Result<Vec<(String, u64)>, SqlError>;

    /// Writes all of it, or nothing.
    ///
    /// # Errors
    /// [`SqlError`].
    fn write(&self, writes: Vec<Write>) -> Result<(), SqlError>;
}
