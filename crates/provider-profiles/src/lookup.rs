//! Which profile belongs to a name or to an issuer.

use crate::{profile::Profile, profiles};

/// Why an issuer cannot be one of a provider's.
#[derive(Debug, Clone, Copy)]
pub enum IssuerMismatch {
    /// It is on the domain of another provider.
    OtherProvider {
        /// Which.
        other: &'static Profile,
    },
    /// It is on the provider's domain and has not the form of its issuers.
    Form {
        /// What an operator would write.
        example: &'static str,
    },
}

/// Looks up the profile of a value of `PROVIDER`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Profile> {
    profiles::ALL.into_iter().find(|profile| profile.name == name)
}

/// The profile of the provider whose own domain the issuer is on; `None` for every other domain.
#[must_use]
pub fn of_domain(issuer: &str) -> Option<&'static Profile> {
    profiles::ALL.into_iter().find(|profile| profile.issuers.iter().any(|form| form.is_of_host(issuer)))
}

/// Checks that an issuer can be one of the profile's provider.
///
/// # Errors
/// [`IssuerMismatch::OtherProvider`] if it is on the domain of another provider, unless the profile is generic;
/// [`IssuerMismatch::Form`] if it is on the provider's domain and has not the form of its issuers.
pub fn check_issuer(profile: &Profile, issuer: &str) -> Result<(), IssuerMismatch> {
    let own = || profile.issuers.iter().filter(|form| form.is_of_host(issuer));
    if own().any(|form| form.matches(issuer)) {
        return Ok(());
    }
    if let Some(form) = own().next() {
        return Err(IssuerMismatch::Form { example: form.example });
    }
    match of_domain(issuer) {
        Some(other) if profile.name != profiles::GENERIC.name => Err(IssuerMismatch::OtherProvider { other }),
        _ => Ok(()),
    }
}
