//! What the access tokens of identity providers look like: a [`Profile`] of plain data for each provider.
//!
//! Providers agree on signatures and expiry and differ in the claims that decide who is calling: which one names the
//! client, which one holds the scopes, and what tells a user's token from a machine's. A profile says where to look: what
//! is not in it grants nothing.
//!
//! | module | what it contains |
//! |---|---|
//! | [`profile`] | the form of a profile |
//! | [`sign`] | conditions on the claims of a token: signs of a user or a machine, and what else must hold |
//! | [`issuer`] | the forms that the issuers of a provider have |
//! | [`profiles`] | the profiles, one file for each provider, with their sources |
//! | [`lookup`] | which profile belongs to a name or to an issuer |
//!
//! To add a provider, add a file to `profiles/`, name it in [`profiles::ALL`], and write its page in
//! `docs/providers/`.

pub mod issuer;
pub mod lookup;
pub mod profile;
pub mod profiles;
pub mod sign;

pub use issuer::{IssuerForm, TENANT_PLACEHOLDER, is_tenant_id};
pub use lookup::{IssuerMismatch, check_issuer, named, of_domain};
pub use profile::{AudienceRule, Evidence, Profile};
pub use sign::Sign;

#[cfg(test)]
mod tests;
