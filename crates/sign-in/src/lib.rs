//! Pages that users sign in to at the identity provider: an OpenID Connect client, and what its pages need.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`client`] | our client at the provider | |
//! | [`authorization`] | authorization requests and their answers: PKCE, state, nonce, issuer | RFC 6749 §4.1, 7636, 9207, OpenID Connect Core §3.1 |
//! | [`tokens`] | token requests: codes, refresh tokens; revocation | RFC 6749 §4.1.3, §6, RFC 7009 |
//! | [`id_token`] | ID tokens, verified | OpenID Connect Core §2, §3.1.3.7 |
//! | [`sealed`], [`cookie`] | what a browser keeps for us | RFC 6265 |
//! | [`session`] | sessions, and tokens by which forms are known to be ours | |
//! | [`own_page`] | whether a form comes from one of our own pages | Fetch Metadata |
//! | [`form`], [`html`], [`redirect`] | forms, escaping of text in HTML, redirects | |
//! | [`random_text`] | random states, verifiers, nonces and tokens of forms | |
//!
//! Nothing here does I/O: what comes from outside comes through [`mcp_edge_runtime::ports`], and the time of day is an
//! argument.

pub mod authorization;
pub mod client;
pub mod cookie;
pub mod form;
pub mod html;
pub mod id_token;
pub mod own_page;
mod provider_metadata;
pub mod random_text;
pub mod redirect;
pub mod sealed;
pub mod session;
pub mod tokens;

#[cfg(test)]
mod testing;
