//! The words of the protocol: messages and headers as they travel, in the terms of either era.
//!
//! | module | what it knows |
//! |---|---|
//! | [`json`], [`json_rpc`] | writing JSON on one line; reading a message as far as needed |
//! | [`size`] | how large a tree of values would be |
//! | [`headers`] | what repeats the body in the head, and its encoding |
//! | [`revision`], [`method`], [`era`] | which revisions and methods there are, and which era a request belongs to |
//! | [`error`], [`outcome`] | every code with its status; results in the words of an era |
//! | [`notify`], [`stream`] | what is said while a handler works, and how it is sent |

pub(super) mod era;
pub(super) mod error;
pub(super) mod headers;
pub(super) mod json_rpc;
pub(super) mod method;
pub(super) mod notify;
pub(super) mod outcome;
pub(super) mod revision;
pub(super) mod size;
pub(super) mod stream;
