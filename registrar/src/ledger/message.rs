//! The operations of the ledger as JSON, and the object's answer to each.

use mcp_edge_runtime::sql::SqlError;
use serde_json::{Value, json};

use super::{
    Admission, MAX_CALLS_PER_CLIENT_AND_HOUR, TokenUses, calls_of,
    rows::{Client, Rows, Write},
    rules::{self, Refusal},
};
use crate::rate_window::Window;

/// The longest message: a page of clients.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// Clients in one message.
pub const PAGE: u32 = 1_000;

/// A request to the object.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    Undo {
        client_id: String,
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
    RenewChange {
        id: String,
        client_id: String,
    },
    EndChange {
        id: String,
        client_id: String,
        written: Option<String>,
    },
    /// Clients, uses and counts in the store.
    Import {
        clients: Vec<Client>,
        /// Uses of initial access tokens: token, client, expiry.
        uses: Vec<(String, String, u64)>,
        /// Counts of the present hour, by their keys.
        rates: Vec<(String, Window)>,
        /// Whether this is all of it.
        is_last: bool,
    },
    /// The clients whose ids come after this one.
    Clients {
        after: String,
    },
    /// Deletes what has ended.
    Prune,
}

/// An answer of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
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

// Messages are lists that begin with a name. They are read and written by hand: derived, they were 20 KB of code.

impl Request {
    /// The message. Inverse of [`Request::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let message = match self {
            Self::TakeUse { id, uses: TokenUses { token, total, expires_at } } => {
                json!(["take_use", id, token, total, expires_at])
            }
            Self::Admit { id, admission: Admission { rates, owner, capacity, is_stranger } } => {
                let rates: Vec<Value> = rates.iter().map(|(key, limit)| json!([key, limit])).collect();
                let (owner, limit) = owner.as_ref().map(|(owner, limit)| (owner, limit)).unzip();
                json!(["admit", id, rates, owner, limit, capacity, is_stranger])
            }
            Self::Settle { id, client_id } => json!(["settle", id, client_id]),
            Self::Release { id } => json!(["release", id]),
            Self::Undo { client_id } => json!(["undo", client_id]),
            Self::Remove { client_id } => json!(["remove", client_id]),
            Self::CountCall { client_id } => json!(["count_call", client_id]),
            Self::BeginChange { id, client_id } => json!(["begin_change", id, client_id]),
            Self::RenewChange { id, client_id } => json!(["renew_change", id, client_id]),
            Self::EndChange { id, client_id, written } => json!(["end_change", id, client_id, written]),
            Self::Import { clients, uses, rates, is_last } => {
                let of_client = |it: &Client| json!([it.id, it.owner, it.registered_at]);
                let clients: Vec<Value> = clients.iter().map(of_client).collect();
                let of_use = |(token, client_id, until): &(String, String, u64)| json!([token, client_id, until]);
                let uses: Vec<Value> = uses.iter().map(of_use).collect();
                let of_rate = |(key, window): &(String, Window)| json!([key, window.began, window.count]);
                let rates: Vec<Value> = rates.iter().map(of_rate).collect();
                json!(["import", clients, uses, rates, is_last])
            }
            Self::Clients { after } => json!(["clients", after]),
            Self::Prune => json!(["prune"]),
        };
        message.to_string()
    }

    /// Reads a message. `None`: it is not one of ours.
    #[must_use]
    pub fn from_json(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let (one, two) = (|| text(&message[1]), || text(&message[2]));
        Some(match message[0].as_str()? {
            "take_use" => {
                let uses = TokenUses { token: two()?, total: count(&message[3])?, expires_at: message[4].as_u64()? };
                Self::TakeUse { id: one()?, uses }
            }
            "admit" => {
                let of_rate = |rate: &Value| Some((text(&rate[0])?, count(&rate[1])?));
                let admission = Admission {
                    rates: list(&message[2], of_rate)?,
                    owner: text(&message[3]).zip(count(&message[4])),
                    capacity: count(&message[5])?,
                    is_stranger: message[6].as_bool()?,
                };
                Self::Admit { id: one()?, admission }
            }
            "settle" => Self::Settle { id: one()?, client_id: two()? },
            "release" => Self::Release { id: one()? },
            "undo" => Self::Undo { client_id: one()? },
            "remove" => Self::Remove { client_id: one()? },
            "count_call" => Self::CountCall { client_id: one()? },
            "begin_change" => Self::BeginChange { id: one()?, client_id: two()? },
            "renew_change" => Self::RenewChange { id: one()?, client_id: two()? },
            "end_change" => Self::EndChange { id: one()?, client_id: two()?, written: text(&message[3]) },
            "import" => Self::Import {
                clients: list(&message[1], |it| {
                    Some(Client { id: text(&it[0])?, owner: text(&it[1]), registered_at: it[2].as_u64()? })
                })?,
                uses: list(&message[2], |it| Some((text(&it[0])?, text(&it[1])?, it[2].as_u64()?)))?,
                rates: list(&message[3], |it| {
                    Some((text(&it[0])?, Window { began: it[1].as_u64()?, count: count(&it[2])? }))
                })?,
                is_last: message[4].as_bool()?,
            },
            "clients" => Self::Clients { after: one()? },
            "prune" => Self::Prune,
            _ => return None,
        })
    }
}

impl Answer {
    /// The answer as it is sent. Inverse of [`Answer::from_json`].
    #[must_use]
    pub fn to_json(&self) -> String {
        let answer = match self {
            Self::Done => json!(["done"]),
            Self::UsedUp => json!(["used_up"]),
            Self::Begun(metadata) => json!(["begun", metadata]),
            Self::Clients(clients) => {
                let clients: Vec<Value> = clients.iter().map(|(id, at)| json!([id, at])).collect();
                json!(["clients", clients])
            }
            Self::NotImported => json!(["not_imported"]),
            Self::TooMany(seconds) => json!(["too_many", seconds]),
            Self::Full => json!(["full"]),
            Self::Quota(limit) => json!(["quota", limit]),
            Self::Busy => json!(["busy"]),
            Self::Ended => json!(["ended"]),
        };
        answer.to_string()
    }

    /// Reads an answer. `None`: it is not one of ours.
    #[must_use]
    pub fn from_json(answer: &str) -> Option<Self> {
        let answer: Value = serde_json::from_str(answer).ok()?;
        Some(match answer[0].as_str()? {
            "done" => Self::Done,
            "used_up" => Self::UsedUp,
            "begun" => Self::Begun(text(&answer[1])),
            "clients" => Self::Clients(list(&answer[1], |it| Some((text(&it[0])?, it[1].as_u64()?)))?),
            "not_imported" => Self::NotImported,
            "too_many" => Self::TooMany(answer[1].as_u64()?),
            "full" => Self::Full,
            "quota" => Self::Quota(count(&answer[1])?),
            "busy" => Self::Busy,
            "ended" => Self::Ended,
            _ => return None,
        })
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|count| u32::try_from(count).ok())
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(read).collect()
}

/// Carries out what a message asks for, at `now` by the object's clock, and gives the answer.
///
/// # Errors
/// For the operator: the message is not one of ours, or the storage failed.
pub fn answer(rows: &impl Rows, message: &str, now: u64) -> Result<String, String> {
    let ask = || Request::from_json(message).map(|request| carry_out(rows, request, now)).transpose();
    let answer = match ask() {
        // A table is missing: the object is new, or of an earlier version. What failed had no effect.
        Err(SqlError::Statement(_)) => rows.prepare().and_then(|()| ask()),
        answer => answer,
    };
    let answer = answer.map_err(|error| format!("the ledger's storage: {error}"))?;
    Ok(answer.ok_or("the ledger was sent a message that it does not know")?.to_json())
}

fn carry_out(rows: &impl Rows, request: Request, now: u64) -> Result<Answer, SqlError> {
    let outcome = match request {
        Request::TakeUse { id, uses } => {
            rules::take_use(rows, &id, &uses, now).map(|is_taken| if is_taken { Answer::Done } else { Answer::UsedUp })
        }
        Request::Admit { id, admission } => done(rules::admit(rows, &id, &admission, now)),
        Request::Settle { id, client_id } => done(rules::settle(rows, &id, &client_id, now)),
        Request::Release { id } => done(rows.write(vec![Write::NoReservation(id)])),
        Request::Undo { client_id } => {
            done(rows.write(vec![Write::NoUse(client_id.clone()), Write::NoClient(client_id)]))
        }
        Request::Remove { client_id } => done(rows.write(vec![Write::NoClient(client_id)])),
        Request::CountCall { client_id } => {
            done(rules::count(rows, &calls_of(&client_id), MAX_CALLS_PER_CLIENT_AND_HOUR, now))
        }
        Request::BeginChange { id, client_id } => rules::begin_change(rows, &id, &client_id, now).map(Answer::Begun),
        Request::RenewChange { id, client_id } => done(rules::renew_change(rows, &id, &client_id, now)),
        Request::EndChange { id, client_id, written } => done(rules::end_change(rows, &id, &client_id, written, now)),
        Request::Import { clients, uses, rates, is_last } => {
            let mut writes: Vec<Write> = clients.into_iter().map(Write::Client).collect();
            for (token, client_id, expires_at) in uses {
                writes.push(Write::Use { token, client_id, expires_at });
            }
            for (key, window) in rates {
                let window = rows.window(&key)?.or(window);
                writes.push(Write::Window(key, window));
            }
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

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_and_answers_are_read_as_they_were_written() {
        let (id, client_id) = (|| "id".to_owned(), || "client \"1\"".to_owned());
        let admission = |owner: Option<(String, u32)>| Admission {
            rates: vec![("rate/1".to_owned(), 3), ("rate/2".to_owned(), 15)],
            owner,
            capacity: 500,
            is_stranger: true,
        };
        let client = |owner: Option<&str>| Client { id: id(), owner: owner.map(str::to_owned), registered_at: 7 };
        for request in [
            Request::TakeUse { id: id(), uses: TokenUses { token: "t".to_owned(), total: 2, expires_at: 9 } },
            Request::Admit { id: id(), admission: admission(None) },
            Request::Admit { id: id(), admission: admission(Some(("owner/1/".to_owned(), 20))) },
            Request::Settle { id: id(), client_id: client_id() },
            Request::Release { id: id() },
            Request::Undo { client_id: client_id() },
            Request::Remove { client_id: client_id() },
            Request::CountCall { client_id: client_id() },
            Request::BeginChange { id: id(), client_id: client_id() },
            Request::RenewChange { id: id(), client_id: client_id() },
            Request::EndChange { id: id(), client_id: client_id(), written: None },
            Request::EndChange { id: id(), client_id: client_id(), written: Some("{\"a\":1}".to_owned()) },
            Request::Import {
                clients: vec![client(None), client(Some("owner/1/"))],
                uses: vec![("t".to_owned(), client_id(), 9)],
                rates: vec![("rate/1".to_owned(), Window { began: 5, count: 2 })],
                is_last: true,
            },
            Request::Clients { after: String::new() },
            Request::Prune,
        ] {
            assert_eq!(Request::from_json(&request.to_json()).as_ref(), Some(&request));
        }
        for answer in [
            Answer::Done,
            Answer::UsedUp,
            Answer::Begun(None),
            Answer::Begun(Some("{}".to_owned())),
            Answer::Clients(vec![(id(), 7)]),
            Answer::NotImported,
            Answer::TooMany(60),
            Answer::Full,
            Answer::Quota(20),
            Answer::Busy,
            Answer::Ended,
        ] {
            assert_eq!(Answer::from_json(&answer.to_json()).as_ref(), Some(&answer));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            "[1]",
            r#"["drop"]"#,
            r#"["settle","id"]"#,
            r#"["admit","id",[["a",-1]],null,null,1,true]"#,
        ] {
            assert_eq!(Request::from_json(text), None, "{text}");
            assert_eq!(Answer::from_json(text), None, "{text}");
        }
    }
}
