//! The primitives of a server, as their author declares them: tools, resources and prompts (MCP 2026-07-28, server),
//! and the skills of an extension.
//!
//! | module | what it contains |
//! |---|---|
//! | [`tool`], [`resource`], [`template`], [`prompt`], [`completion`] | the primitives, and how their handlers are called |
//! | [`skill`] | Agent Skills, whose files are resources |
//! | [`tool_handler`] | the functions that can be tools |
//! | [`tool_result`], [`prompt_result`], [`content`], [`error`] | what handlers return |
//! | [`connection`], [`required`] | the accounts at other services that its handler uses |
//! | [`listing`], [`icon`] | how a primitive is displayed, and to whom |

pub(super) mod completion;
#[cfg_attr(not(feature = "connections"), path = "without_connection.rs")]
pub(super) mod connection;
pub(super) mod content;
pub(super) mod error;
pub(super) mod icon;
pub(super) mod listing;
pub(super) mod prompt;
pub(super) mod prompt_result;
pub(super) mod required;
pub(super) mod resource;
pub(super) mod skill;
pub(super) mod template;
pub(super) mod tool;
pub(super) mod tool_handler;
pub(super) mod tool_result;
