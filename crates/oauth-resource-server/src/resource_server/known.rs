//! What is cached about a token or another credential.

use std::rc::Rc;

use super::introspection::Verdict;
use crate::{denial::Denial, memory_size, token::verified::VerifiedJwt};

/// What is cached about a token.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// A JWT, or a credential that was exchanged for one.
    Jwt(Rc<VerifiedJwt>),
    /// What the provider said of an opaque token, or why a credential is refused that was to be exchanged.
    Asked(Rc<Introspected>),
}

/// What the provider said of an opaque token, and until when that may be used.
#[derive(Debug)]
pub(super) struct Introspected {
    pub verdict: Verdict,
    pub until: u64,
}

impl Introspected {
    /// The bytes that it holds in memory behind an `Rc`.
    pub fn held_bytes(&self) -> usize {
        let verdict = match &self.verdict {
            Ok((identity, _)) => memory_size::of_identity(identity),
            Err(denial) => memory_size::behind_rc::<Denial>() + denial.held_bytes(),
        };
        memory_size::behind_rc::<Self>() + verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::{Excerpt, OpaqueRefusal};

    #[test]
    fn what_a_remembered_refusal_holds_is_counted() {
        let denial = Denial::OpaqueNotAccepted { refusal: OpaqueRefusal::Client(Excerpt::new("agent")) };
        let of_denial = memory_size::behind_rc::<Denial>() + denial.held_bytes();
        let introspected = Introspected { verdict: Err(denial.into()), until: 0 };
        assert_eq!(introspected.held_bytes(), memory_size::behind_rc::<Introspected>() + of_denial);
    }
}
