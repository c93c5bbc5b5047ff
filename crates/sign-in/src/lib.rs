//! Pages that users sign in to at the identity provider.
//!
//! | module | what it contains | source |
//! |---|---|---|
//! | [`client`] | our client at the provider | |
//! | [`authorization`] | authorization requests and their answers: PKCE, state, nonce, issuer | RFC 6749 §4.1, 7636, 9207, OpenID Connect Core §3.1 |
//! | [`tokens`] | token requests: codes, refresh tokens; revocation | RFC 6749 §4.1.3, §6, RFC 7009 |
//! | [`id_token`] | ID tokens, verified | OpenID Connect Core §2, §3.1.3.7 |
//! | [`sealed`], [`cookie`] | what a browser keeps for us | |
//! | [`session`] | sessions, and tokens by which forms are known to be ours | |
//! | [`form`], [`html`], [`redirect`] | forms, markup, redirects | |

pub mod authorization;
pub mod client;
pub mod id_token;
pub mod tokens;
