//! The rows of a ledger in memory.

use std::{cell::RefCell, collections::BTreeMap};

use mcp_edge_runtime::sql::SqlError;

use crate::{
    ledger::{
        rows::{Change, Client, Occupied, Reservation, Rows, Write},
        rules::VISIBLE_SECONDS,
    },
    rate_window::Window,
};

/// Rows in memory.
#[derive(Debug, Default)]
pub struct MemoryRows(RefCell<Tables>);

#[derive(Debug, Default)]
struct Tables {
    is_imported: bool,
    clients: BTreeMap<String, (Option<String>, u64)>,
    reservations: BTreeMap<String, Reservation>,
    uses: BTreeMap<(String, String), u64>,
    windows: BTreeMap<String, Window>,
    changes: BTreeMap<String, Change>,
}

impl Rows for MemoryRows {
    fn prepare(&self) -> Result<(), SqlError> {
        Ok(())
    }

    fn is_imported(&self) -> Result<bool, SqlError> {
        Ok(self.0.borrow().is_imported)
    }

    fn reservation(&self, id: &str, now: u64) -> Result<Option<Reservation>, SqlError> {
        Ok(self.0.borrow().reservations.get(id).filter(|it| now < it.until).cloned())
    }

    fn occupied(&self, owner: Option<&str>, now: u64) -> Result<Occupied, SqlError> {
        let tables = self.0.borrow();
        let reserved = tables.reservations.values().filter(|it| it.is_admitted && now < it.until).map(|it| &it.owner);
        let owners: Vec<_> = tables.clients.values().map(|(owner, _)| owner).chain(reserved).collect();
        let of_owner = owners.iter().filter(|it| owner.is_some() && it.as_deref() == owner).count();
        Ok(Occupied { total: u32::try_from(owners.len()).unwrap(), of_owner: u32::try_from(of_owner).unwrap() })
    }

    fn uses(&self, token: &str, now: u64) -> Result<u32, SqlError> {
        let tables = self.0.borrow();
        let spent = tables.uses.keys().filter(|(known, _)| known == token).count();
        let is_of = |it: &&Reservation| now < it.until && it.token.as_ref().is_some_and(|(known, _)| known == token);
        Ok(u32::try_from(spent + tables.reservations.values().filter(is_of).count()).unwrap())
    }

    fn has_client(&self, client_id: &str) -> Result<bool, SqlError> {
        Ok(self.0.borrow().clients.contains_key(client_id))
    }

    fn window(&self, key: &str) -> Result<Window, SqlError> {
        Ok(self.0.borrow().windows.get(key).copied().unwrap_or_default())
    }

    fn change(&self, client_id: &str) -> Result<Change, SqlError> {
        Ok(self.0.borrow().changes.get(client_id).cloned().unwrap_or_default())
    }

    fn clients(&self, after: &str, limit: u32) -> Result<Vec<(String, u64)>, SqlError> {
        // Pages of two, so that a caller that reads one page only fails.
        let tables = self.0.borrow();
        let later = tables.clients.iter().filter(|(id, _)| id.as_str() > after);
        Ok(later.take(limit.min(2) as usize).map(|(id, (_, at))| (id.clone(), *at)).collect())
    }

    fn write(&self, writes: Vec<Write>) -> Result<(), SqlError> {
        let mut tables = self.0.borrow_mut();
        for write in writes {
            match write {
                Write::Reservation(id, reservation) => drop(tables.reservations.insert(id, reservation)),
                Write::NoReservation(id) => drop(tables.reservations.remove(&id)),
                Write::Client(Client { id, owner, registered_at }) => {
                    tables.clients.entry(id).or_insert((owner, registered_at));
                }
                Write::NoClient(id) => {
                    tables.clients.remove(&id);
                    tables.changes.remove(&id);
                }
                Write::Use { token, client_id, expires_at } => {
                    tables.uses.entry((token, client_id)).or_insert(expires_at);
                }
                Write::NoUse(client_id) => tables.uses.retain(|(_, used_for), _| *used_for != client_id),
                Write::Window(key, window) => drop(tables.windows.insert(key, window)),
                Write::Change(client_id, change) => drop(tables.changes.insert(client_id, change)),
                Write::Imported => tables.is_imported = true,
                Write::Prune(now) => {
                    tables.reservations.retain(|_, it| now < it.until);
                    tables.uses.retain(|_, expires_at| now < *expires_at);
                    tables.windows.retain(|_, window| window.is_current(now));
                    tables.changes.retain(|_, it| now < it.until || now < it.written_at + VISIBLE_SECONDS);
                }
            }
        }
        Ok(())
    }
}
