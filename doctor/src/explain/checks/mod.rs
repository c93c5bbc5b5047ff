//! The checks of a token: each a row, and a function that says what it makes of the token.
//!
//! Each function takes what it needs and returns what later checks build on, or the refusal with its reason and its fix.
//! [`evaluate`](super::evaluate) calls them in order. They follow the rules of `docs/denials.md` and share no code with the
//! Worker, which has rules of its own for the same: `tests/agreement` compares the two.

pub(crate) mod caller;
pub(crate) mod claims;
pub(crate) mod deployment;
pub(crate) mod form;
pub(crate) mod key;
pub(crate) mod policy;
pub(crate) mod token_use;

use super::step::Check;

/// The checks, in the order of the report.
const CHECKS: [&Check; 24] = [
    &deployment::SETTINGS,
    &deployment::PROVIDER,
    &form::FORM,
    &form::HEADER,
    &claims::ISSUER,
    &form::TYPE,
    &claims::CLAIMS,
    &claims::AUDIENCE,
    &token_use::TOKEN_USE,
    &token_use::REQUIREMENTS,
    &claims::TIME,
    &claims::CUTOFF,
    &key::DENIED_KEYS,
    &key::KEY,
    &key::SIGNATURE,
    &caller::KIND,
    &caller::CLIENT,
    &caller::SCOPES,
    &caller::ORGANIZATION,
    &policy::CLIENTS,
    &policy::ORGANIZATIONS,
    &policy::REQUIRED_SCOPES,
    &policy::TOOL_SCOPES,
    &policy::DISCLOSURE,
];

/// Every check, in the order of the report.
pub fn all() -> impl Iterator<Item = &'static Check> {
    CHECKS.into_iter()
}
