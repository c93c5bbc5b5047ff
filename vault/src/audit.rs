//! The audit log: a line for everything that happens to a key.
