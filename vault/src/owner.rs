//! A user.

use serde::{Deserialize, Serialize};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
}
