//! Denials: every reason to refuse a request, as the client and as the operator see it.
//!
//! | module | what it contains |
//! |---|---|
//! | `causes` | [`Denial`], one variant for each cause with its values and its row of the table; [`Reason`], the same without values |
//! | `table` | [`PublicError`] and the columns of the table |
//! | `values` | what exactly was wrong, and excerpts of what came from outside |
//! | `outage` | why a token could not be checked |
//!
//! A slug is stable: it stands in the log, `docs/denials.md` lists it with what an operator does about it, and a test
//! holds the two together. Most refusals of a token share a public description, because a prober must not learn which
//! check a forged token got past. A new cause does not compile without its row. Treat it like a new variant of a public
//! enum.
//!
//! An outage is never reported as a bad token: clients answer a 401 by throwing the token away and signing in again,
//! which cannot succeed while the provider is down.

mod causes;
mod outage;
mod table;
mod values;

pub use causes::{Denial, Reason};
pub use outage::{IntrospectionError, KeysOutage};
pub use table::PublicError;
pub use values::{
    Confirmation, Endpoint, Excerpt, ExpiryError, IssueTimeError, KeyIdentifier, MAX_EXCERPT_BYTES, OpaqueRefusal,
    ProviderVerdict, Publication, Segment, SignatureError, TokenError,
};

#[cfg(test)]
mod tests;
