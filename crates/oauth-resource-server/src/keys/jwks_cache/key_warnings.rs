//! What the operator hears of the published keys.

use std::cell::RefCell;

use crate::keys::key_set::UnusedKeys;
use mcp_edge_runtime::{json::Object, ports::OperatorLog};

/// What was last reported.
#[derive(Debug, Default)]
pub(super) struct KeyWarnings(RefCell<UnusedKeys>);

impl KeyWarnings {
    /// Reports what is wrong with the issuer's keys, once for each change of it.
    pub fn note(&self, unused: &UnusedKeys, issuer: &str, services: &impl OperatorLog) {
        if *self.0.borrow() != *unused {
            if !unused.is_empty() {
                let warning = unused.to_string();
                services.error(&Object::new().text("warning", &warning).text("issuer", issuer).close());
            }
            unused.clone_into(&mut self.0.borrow_mut());
        }
    }
}
