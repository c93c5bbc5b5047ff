//! `mcp-edge-doctor explain`: what the settings of a deployment make of one token, check by check.
//!
//! ```text
//!   options, token_input, settings/ ─▶ evaluate ─▶ explanation ─▶ render/
//!                                        │
//!                          checks/ (rows and functions), keys/
//! ```
//!
//! It is a second implementation of the Worker's rules, written from the standards and from the documents of this
//! repository, and shares data about providers with it and no code: where the two disagree, one is wrong.
//!
//! | module | what it contains |
//! |---|---|
//! | [`program`] | reads everything from outside, and prints |
//! | [`options`] | the command line |
//! | [`token_input`] | the token as operators have it: from standard input or the environment |
//! | [`settings`] | the settings of the deployment, and where they are from |
//! | [`evaluate`](mod@evaluate) | the order of the checks |
//! | [`checks`] | the checks: a row and a function each |
//! | [`step`], [`explanation`] | what checks return; the verdict, and who the token stands for |
//! | [`jwt`], [`sign`] | the JWT read strictly; the signs of provider profiles |
//! | [`keys`] | key sets and signatures |
//! | [`render`] | the report, for people and as JSON |

pub mod checks;
pub mod evaluate;
pub mod explanation;
pub mod jwt;
pub mod keys;
pub mod options;
pub mod program;
pub mod render;
pub mod settings;
pub mod sign;
pub mod step;
pub mod token_input;
