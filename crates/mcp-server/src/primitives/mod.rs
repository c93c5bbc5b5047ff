//! The primitives of a server, as their author declares them: tools, resources and prompts (MCP 2026-07-28, server).
//!
//! | module | what it contains |
//! |---|---|
//! | [`tool`], [`resource`], [`template`], [`prompt`], [`completion`] | the primitives, and how their handlers are called |
//! | [`tool_handler`] | the functions that can be tools |
//! | [`tool_result`], [`prompt_result`], [`content`], [`error`] | what handlers return |
//! | [`schema`], [`portable`], [`reference`], [`keywords`] | JSON Schemas of arguments and results, in the form that clients take |
//! | [`validation`], [`alternatives`], [`absent`], [`value`], [`schema_text`] | validation against them, and what is wrong in words |
//! | [`access`], [`icon`] | who may use a primitive, and how it is displayed |

pub(super) mod absent;
pub(super) mod access;
pub(super) mod alternatives;
pub(super) mod completion;
pub(super) mod content;
pub(super) mod error;
pub(super) mod icon;
pub(super) mod keywords;
pub(super) mod portable;
pub(super) mod prompt;
pub(super) mod prompt_result;
pub(super) mod reference;
pub(super) mod resource;
pub(super) mod schema;
pub(super) mod schema_text;
pub(super) mod template;
pub(super) mod tool;
pub(super) mod tool_handler;
pub(super) mod tool_result;
pub(super) mod validation;
pub(super) mod value;
