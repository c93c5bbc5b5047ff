//! What is stored of registrations. Clients that were replaced stay for a while: what was issued to them may still be refreshed
//! or revoked.

use mcp_edge_runtime::sql::{self, Row, SqlError, SqlStorage, Statement};

use crate::columns::{number, optional_number, optional_text, unless_no_table};

const CLIENTS: Statement = Statement::new(
    "CREATE TABLE IF NOT EXISTS client (number INTEGER PRIMARY KEY AUTOINCREMENT, client_id TEXT NOT NULL UNIQUE, \
     issuer TEXT NOT NULL, redirect_uri TEXT NOT NULL, sealed TEXT, is_posted INTEGER NOT NULL, expires_at INTEGER, \
     registered_at INTEGER NOT NULL, refused_at INTEGER) STRICT",
);

/// The one request that is under way, or the failure of the last one.
const ATTEMPT: Statement = Statement::new(
    "CREATE TABLE IF NOT EXISTS attempt (number INTEGER PRIMARY KEY CHECK (number = 1), id TEXT NOT NULL, \
     until INTEGER NOT NULL, failed_until INTEGER NOT NULL, is_refusal INTEGER NOT NULL, cause TEXT NOT NULL) STRICT",
);

/// How many clients are kept.
const MAX_CLIENTS: u64 = 20;

/// A client, with its secret sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// `client_id`.
    pub client_id: String,
    /// The issuer.
    pub issuer: String,
    /// The redirect URI.
    pub redirect_uri: String,
    /// Its secret, sealed; `None`: it is public.
    pub sealed: Option<String>,
    /// Whether the secret is sent in the form.
    pub is_posted: bool,
    /// When the secret ends, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// When it was registered, in seconds since 1970.
    pub registered_at: u64,
    /// Since when the issuer does not know it, in seconds since 1970.
    pub refused_at: Option<u64>,
}

/// The request that is under way, or the failure of the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Which one.
    pub id: String,
    /// Until when it counts, in seconds since 1970.
    pub until: u64,
    /// Until when a failure counts.
    pub failed_until: u64,
    /// Whether the failure was a refusal.
    pub is_refusal: bool,
    /// Its cause.
    pub cause: String,
}

/// The tables.
pub struct Rows<'a, S>(pub &'a S);

impl<S: SqlStorage> Rows<'_, S> {
    /// The newest client of an issuer and a redirect URI.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn newest(&self, issuer: &str, redirect_uri: &str) -> Result<Option<Client>, SqlError> {
        let select = Statement::new(
            "SELECT client_id, issuer, redirect_uri, sealed, is_posted, expires_at, registered_at, refused_at FROM client \
             WHERE issuer = ? AND redirect_uri = ? ORDER BY number DESC LIMIT 1",
        );
        self.client(select.bind(issuer).bind(redirect_uri))
    }

    /// The client with this id.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn of(&self, client_id: &str) -> Result<Option<Client>, SqlError> {
        let select = Statement::new(
            "SELECT client_id, issuer, redirect_uri, sealed, is_posted, expires_at, registered_at, refused_at FROM client \
             WHERE client_id = ?",
        );
        self.client(select.bind(client_id))
    }

    fn client(&self, select: Statement) -> Result<Option<Client>, SqlError> {
        let rows = unless_no_table(self.0.execute(select))?;
        rows.as_ref().and_then(sql::Rows::first).map(client_of).transpose()
    }

    /// Notes that the issuer does not know a client.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn refused(&self, client_id: &str, now: u64) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE client SET refused_at = ? WHERE client_id = ? AND refused_at IS NULL");
        self.0.transaction(vec![CLIENTS, update.bind(now).bind(client_id)]).map(drop)
    }

    /// Replaces what the secret of a client is sealed as.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn reseal(&self, client_id: &str, sealed: &str) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE client SET sealed = ? WHERE client_id = ?");
        self.0.execute(update.bind(sealed).bind(client_id)).map(drop)
    }

    /// The request that is under way.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn attempt(&self) -> Result<Attempt, SqlError> {
        let select = Statement::new("SELECT id, until, failed_until, is_refusal, cause FROM attempt");
        let rows = unless_no_table(self.0.execute(select))?;
        let Some(row) = rows.as_ref().and_then(sql::Rows::first) else { return Ok(Attempt::default()) };
        Ok(Attempt {
            id: row.text(0)?.to_owned(),
            until: number(row, 1)?,
            failed_until: number(row, 2)?,
            is_refusal: row.integer(3)? != 0,
            cause: row.text(4)?.to_owned(),
        })
    }

    /// Notes the request that is under way, or its failure.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn note(&self, attempt: &Attempt) -> Result<(), SqlError> {
        let Attempt { id, until, failed_until, is_refusal, cause } = attempt;
        let insert = Statement::new("INSERT OR REPLACE INTO attempt VALUES (1, ?, ?, ?, ?, ?)");
        let insert = insert.bind(id.as_str()).bind(*until).bind(*failed_until).bind(*is_refusal).bind(cause.as_str());
        self.0.transaction(vec![ATTEMPT, insert]).map(drop)
    }

    /// Keeps a client that was registered, and ends the request.
    ///
    /// # Errors
    /// [`SqlError`].
    pub fn keep(&self, client: &Client) -> Result<(), SqlError> {
        let Client { client_id, issuer, redirect_uri, sealed, is_posted, expires_at, registered_at, .. } = client;
        let insert = Statement::new(
            "INSERT OR REPLACE INTO client (client_id, issuer, redirect_uri, sealed, is_posted, expires_at, registered_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        let insert = insert
            .bind(client_id.as_str())
            .bind(issuer.as_str())
            .bind(redirect_uri.as_str())
            .bind(sealed.clone())
            .bind(*is_posted)
            .bind(*expires_at)
            .bind(*registered_at);
        let forget = Statement::new(
            "DELETE FROM client WHERE number NOT IN (SELECT number FROM client ORDER BY number DESC LIMIT CAST(? AS INTEGER))",
        );
        let end = Statement::new("DELETE FROM attempt");
        self.0.transaction(vec![CLIENTS, ATTEMPT, insert, forget.bind(MAX_CLIENTS), end]).map(drop)
    }
}

fn client_of(row: Row<'_>) -> Result<Client, SqlError> {
    Ok(Client {
        client_id: row.text(0)?.to_owned(),
        issuer: row.text(1)?.to_owned(),
        redirect_uri: row.text(2)?.to_owned(),
        sealed: optional_text(row, 3)?,
        is_posted: row.integer(4)? != 0,
        expires_at: optional_number(row, 5)?,
        registered_at: number(row, 6)?,
        refused_at: optional_number(row, 7)?,
    })
}
