//! The operations of the ledger as JSON, and the object's answer to each.

use mcp_edge_runtime::sql::SqlError;
use serde::{Deserialize, Serialize};

use super::{
    Admission, MAX_CALLS_PER_CLIENT_AND_HOUR, TokenUses, calls_of,
    rows::{Client, Rows, Write},
    rules::{self, Refusal},
};

/// The longest message: a page of clients.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Clients in one message.
pub const PAGE: u32 = 1_000;

/// What is asked of the object.
#[derive(Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "see the operations of the port")]
pub enum Request {
    TakeUse {
        id: String,
        uses: TokenUses,
    },
    Admit {
        id: String,
        admission: Admission,
    },
    Settle {
        id: String,
        client_id: String,
    },
    Release {
        id: String,
    },
    Remove {
        client_id: String,
    },
    CountCall {
        client_id: String,
    },
    BeginChange {
        id: String,
        client_id: String,
    },
    EndChange {
        id: String,
        client_id: String,
        written: Option<String>,
    },
    /// Clients (id, owner, time of registration) and uses of tokens (token, client, expiry) that the store has.
    Import {
        clients: Vec<(String, Option<String>, u64)>,
        uses: Vec<(String, String, u64)>,
        is_last: bool,
    },
    /// The clients whose ids come after this one.
    Clients {
        after: String,
    },
    /// Deletes what has ended.
    Prune,
}

/// What the object answers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "see `Refusal`")]
pub enum Answer {
    Done,
    /// No use of the token is left.
    UsedUp,
    /// The change has begun; the metadata that the last one wrote.
    Begun(Option<String>),
    /// Ids of clients, with the times of their registration.
    Clients(Vec<(String, u64)>),
    NotImported,
    TooMany(u64),
    Full,
    Quota(u32),
    Busy,
    Ended,
}

/// Carries out what a message asks for, at `now` by the object's clock, and gives the answer.
///
/// # Errors
/// For the operator: the message is not one of ours, or the storage failed.
pub fn answer(rows: &impl Rows, message: &str, now: u64) -> Result<String, String> {
    let request = serde_json::from_str(message).map_err(|error| format!("the ledger's message: {error}"))?;
    let answer = carry_out(rows, request, now).map_err(|error| format!("the ledger's storage: {error}"))?;
    serde_json::to_string(&answer).map_err(|error| error.to_string())
}

fn carry_out(rows: &impl Rows, request: Request, now: u64) -> Result<Answer, SqlError> {
    let outcome = match request {
        Request::TakeUse { id, uses } => {
            rules::take_use(rows, &id, &uses, now).map(|is_taken| if is_taken { Answer::Done } else { Answer::UsedUp })
        }
        Request::Admit { id, admission } => done(rules::admit(rows, &id, &admission, now)),
        Request::Settle { id, client_id } => done(rules::settle(rows, &id, &client_id, now)),
        Request::Release { id } => done(rows.write(vec![Write::NoReservation(id)])),
        Request::Remove { client_id } => done(rows.write(vec![Write::NoClient(client_id)])),
        Request::CountCall { client_id } => {
            done(rules::count(rows, &calls_of(&client_id), MAX_CALLS_PER_CLIENT_AND_HOUR, now))
        }
        Request::BeginChange { id, client_id } => rules::begin_change(rows, &id, &client_id, now).map(Answer::Begun),
        Request::EndChange { id, client_id, written } => done(rules::end_change(rows, &id, &client_id, written, now)),
        Request::Import { clients, uses, is_last } => {
            let clients = clients.into_iter().map(|(id, owner, registered_at)| Client { id, owner, registered_at });
            let uses =
                uses.into_iter().map(|(token, client_id, expires_at)| Write::Use { token, client_id, expires_at });
            let mut writes: Vec<Write> = clients.map(Write::Client).chain(uses).collect();
            writes.extend(is_last.then_some(Write::Imported));
            done(rows.write(writes))
        }
        Request::Clients { after } if rows.is_imported()? => Ok(Answer::Clients(rows.clients(&after, PAGE)?)),
        Request::Clients { .. } => Ok(Answer::NotImported),
        Request::Prune => done(rows.write(vec![Write::Prune(now)])),
    };
    outcome.or_else(|refusal| {
        Ok(match refusal {
            Refusal::NotImported => Answer::NotImported,
            Refusal::TooMany { retry_after } => Answer::TooMany(retry_after),
            Refusal::Full => Answer::Full,
            Refusal::Quota { limit } => Answer::Quota(limit),
            Refusal::Busy => Answer::Busy,
            Refusal::Ended => Answer::Ended,
            Refusal::Storage(error) => return Err(error),
        })
    })
}

fn done<E: Into<Refusal>>(outcome: Result<(), E>) -> Result<Answer, Refusal> {
    outcome.map(|()| Answer::Done).map_err(Into::into)
}
