//! What the doctor knows of a gateway: a server that passes MCP messages on to an upstream.
//!
//! | module | what it contains |
//! |---|---|
//! | [`authorization`] | the operator's credentials for the upstream |
//! | [`forgery`] | assertions about a caller that the gateway did not sign |
//! | [`access_table`] | tables of patterns: who may use which tool, prompt and resource |
//! | [`pattern`] | patterns with one `*` |
//! | [`resource_uri`] | URIs in the form in which patterns are compared with them |
//! | [`settings`] | the settings of a gateway, from its `wrangler.toml` or `wrangler.jsonc` |

pub mod access_table;
pub mod authorization;
pub mod forgery;
pub mod pattern;
pub mod resource_uri;
pub mod settings;
