//! Who may use which tool, prompt and resource, by the names alone: `TOOL_SCOPES`, `PROMPT_SCOPES`, `RESOURCE_SCOPES`,
//! `TASK_SCOPES` and `LIST_TOOLS`.
//!
//! | module | what it contains |
//! |---|---|
//! | [`policy`] | all of these settings, and the decision on everything that a message is about |
//! | [`table`] | one table: entries of patterns and needs, and the one that counts for a name |
//! | [`pattern`] | patterns with one `*`: what they match, and which of two is more specific |
//! | [`needs`] | what an entry asks of a caller |
//! | [`uri`] | the form in which the URIs of resources are compared |
//!
//! What no entry matches is denied, and so is a name for which an upstream that compares without case, or that decodes
//! URIs, would find another entry.

pub mod needs;
pub mod pattern;
pub mod policy;
pub mod table;
pub mod uri;

pub use policy::{Decision, ListMode, Policy, Target};
pub use table::{Access, AccessTable, Names, is_plain};
