//! What a server offers, as its author declares it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`tool`], [`resource`], [`template`], [`prompt`], [`completion`] | the items, and how their handlers are called |
//! | [`content`], [`failure`] | what handlers return, and why they do not |
//! | [`schema`], [`validation`] | what arguments look like, and whether some do |
//! | [`access`], [`icon`] | who may use an item, and how it is shown |

pub(super) mod access;
pub(super) mod completion;
pub(super) mod content;
pub(super) mod failure;
pub(super) mod icon;
pub(super) mod prompt;
pub(super) mod resource;
pub(super) mod schema;
pub(super) mod template;
pub(super) mod tool;
pub(super) mod validation;
