//! The tables of links and of uses.

use mcp_edge_runtime::sql::{Row, Rows, SqlError, SqlStorage, Statement};

use super::{
    message::{Link, Use},
    rules::{LINK_LEFT_SECONDS, LINK_SECONDS, MAX_LINKS, MAX_USES, USE_SECONDS, is_link_good, last_link},
};
use crate::{
    columns::{number, unless_no_table},
    connection::caller::Agent,
};

/// In `is_spent`: the link was used up, and its user has cancelled what it led to.
const CANCELLED: u64 = 2;

/// Links and uses in an object's storage. Of every method: [`SqlError`] if it had no effect.
#[allow(clippy::missing_errors_doc, reason = "see above")]
pub struct Links<'a, S>(&'a S);

#[allow(clippy::missing_errors_doc, reason = "see above")]
impl<'a, S: SqlStorage> Links<'a, S> {
    /// Creates access to the tables in a storage.
    #[must_use]
    pub const fn new(storage: &'a S) -> Self {
        Self(storage)
    }

    /// The id of a link for the same connection, scopes and agent, if one is good for a while.
    pub fn same(&self, link: &Link, now: u64) -> Result<Option<String>, SqlError> {
        let select = Statement::new(
            "SELECT id, until FROM link WHERE connection = ? AND scopes = ? AND agent = ? ORDER BY until DESC",
        );
        let select = select.bind(link.connection.as_str()).bind(link.scopes.join(" ")).bind(text_of(&link.agent));
        let Some(rows) = unless_no_table(self.0.execute(select))? else { return Ok(None) };
        for row in rows.iter() {
            let until = number(row, 1)?;
            if is_link_good(until, now) && until >= now + LINK_LEFT_SECONDS {
                return row.text(0).map(|id| Some(id.to_owned()));
            }
        }
        Ok(None)
    }

    /// What a link is for, if it is good.
    pub fn get(&self, id: &str, now: u64) -> Result<Option<Link>, SqlError> {
        let select =
            Statement::new("SELECT connection, scopes, agent, user_of_token, is_spent, until FROM link WHERE id = ?");
        let Some(rows) = unless_no_table(self.0.execute(select.bind(id)))? else { return Ok(None) };
        let Some(row) = rows.first() else { return Ok(None) };
        if is_link_good(number(row, 5)?, now) { read(row).map(Some) } else { Ok(None) }
    }

    /// Uses a link up; `false`: it was used already.
    pub fn spend(&self, id: &str) -> Result<bool, SqlError> {
        let update = Statement::new("UPDATE link SET is_spent = 1 WHERE id = ? AND is_spent = 0 RETURNING 1");
        Ok(unless_no_table(self.0.execute(update.bind(id)))?.is_some_and(|rows| !rows.is_empty()))
    }

    /// The user has cancelled what a link led to: it was used up, and connected nothing.
    pub fn cancel(&self, id: &str) -> Result<(), SqlError> {
        let update = Statement::new("UPDATE link SET is_spent = ? WHERE id = ? AND is_spent <> 0");
        unless_no_table(self.0.execute(update.bind(CANCELLED).bind(id))).map(drop)
    }

    /// Forgets the links that are good no more. Says until when the last one is.
    pub fn sweep(&self, now: u64) -> Result<Option<u64>, SqlError> {
        unless_no_table(self.0.execute(delete_expired(now)))?;
        let rows = unless_no_table(self.0.execute(Statement::new("SELECT max(until) FROM link")))?;
        let last = rows.as_ref().and_then(Rows::first).filter(|row| !row.is_null(0));
        last.map(|row| number(row, 0)).transpose()
    }

    /// The last uses of an account, the newest first.
    pub fn uses(&self, connection: &str) -> Result<Vec<Use>, SqlError> {
        let select = Statement::new(
            "SELECT agent, user_of_token, at FROM account_use WHERE connection = ? ORDER BY at DESC, rowid DESC LIMIT ?",
        );
        let Some(rows) = unless_no_table(self.0.execute(select.bind(connection).bind(MAX_USES)))? else {
            return Ok(Vec::new());
        };
        rows.iter()
            .map(|row| {
                Ok(Use { agent: agent_of(row.text(0)?), user_of_token: row.text(1)?.to_owned(), at: number(row, 2)? })
            })
            .collect()
    }

    /// An account was used.
    pub fn used(&self, connection: &str, agent: &Agent, user_of_token: &str, now: u64) -> Result<(), SqlError> {
        let agent = text_of(agent);
        let select =
            Statement::new("SELECT at FROM account_use WHERE connection = ? AND agent = ? AND user_of_token = ?");
        let rows = self.0.execute(select.bind(connection).bind(agent.as_str()).bind(user_of_token))?;
        let last = rows.first().map(|row| number(row, 0)).transpose()?;
        if last.is_some_and(|last| (last..last + USE_SECONDS).contains(&now)) {
            return Ok(());
        }
        let insert = Statement::new("INSERT OR REPLACE INTO account_use VALUES (?, ?, ?, ?)");
        let delete = Statement::new(
            "DELETE FROM account_use WHERE connection = ? AND rowid NOT IN (SELECT rowid FROM account_use WHERE \
             connection = ? ORDER BY at DESC, rowid DESC LIMIT ?)",
        );
        let statements = vec![
            insert.bind(connection).bind(agent).bind(user_of_token).bind(now),
            delete.bind(connection).bind(connection).bind(MAX_USES),
        ];
        self.0.transaction(statements).map(drop)
    }
}

/// Writes a link, and forgets those whose time is over, and the oldest of too many.
#[must_use]
pub fn put(id: &str, link: &Link, now: u64) -> [Statement; 3] {
    let insert = Statement::new("INSERT INTO link VALUES (?, ?, ?, ?, ?, ?, 0)")
        .bind(id)
        .bind(link.connection.as_str())
        .bind(link.scopes.join(" "))
        .bind(text_of(&link.agent))
        .bind(link.user_of_token.as_str())
        .bind(now + LINK_SECONDS);
    let delete =
        Statement::new("DELETE FROM link WHERE rowid NOT IN (SELECT rowid FROM link ORDER BY rowid DESC LIMIT ?)");
    [delete_expired(now), insert, delete.bind(MAX_LINKS)]
}

/// A link has led to an account of `connection`: what its user cancelled before does not count any more.
#[must_use]
pub fn connected(id: &str, connection: &str) -> Statement {
    Statement::new("UPDATE link SET is_spent = 1 WHERE id = ? AND connection = ?").bind(id).bind(connection)
}

/// Forgets the uses of an account.
#[must_use]
pub fn delete_uses(connection: &str) -> Statement {
    Statement::new("DELETE FROM account_use WHERE connection = ?").bind(connection)
}

/// A clock that has gone back far says nothing of what lies ahead: what lasts longer than a link can is over as well.
fn delete_expired(now: u64) -> Statement {
    Statement::new("DELETE FROM link WHERE until <= ? OR until > ?").bind(now).bind(last_link(now))
}

fn text_of(agent: &Agent) -> String {
    serde_json::to_string(agent).unwrap_or_default()
}

fn agent_of(text: &str) -> Agent {
    serde_json::from_str(text).unwrap_or(Agent::Unnamed)
}

fn read(row: Row<'_>) -> Result<Link, SqlError> {
    Ok(Link {
        connection: row.text(0)?.to_owned(),
        scopes: mcp_edge_runtime::settings::words(row.text(1)?),
        agent: agent_of(row.text(2)?),
        user_of_token: row.text(3)?.to_owned(),
        is_spent: row.integer(4)? != 0,
        is_cancelled: number(row, 4)? == CANCELLED,
    })
}
