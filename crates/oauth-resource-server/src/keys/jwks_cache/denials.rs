//! The denials of tokens whose key is not to be had.

use crate::{
    denial::{Denial, Excerpt, KeysOutage, Publication, SignatureError},
    keys::{
        key_set::SelectionError,
        policy::{KeyQuery, KeyRefusal},
        record::Record,
    },
};

/// The denial of a token by what the keys at hand, `copy`, say of its key.
pub(super) fn refused(refusal: KeyRefusal, query: KeyQuery<'_>, copy: Option<&Record>) -> Denial {
    let (kid, alg) = (query.kid.map(Excerpt::new), query.algorithm);
    match refusal {
        KeyRefusal::Selection(SelectionError::Unknown) => {
            let publication = copy.zip(query.kid).map(|(copy, kid)| copy.keys.publication(kid));
            Denial::UnknownKey { kid, alg, publication: publication.unwrap_or(Publication::No) }
        }
        KeyRefusal::Selection(SelectionError::Mismatch) => Denial::KeyMismatch { kid, alg },
        KeyRefusal::Selection(SelectionError::Ambiguous) => Denial::AmbiguousKey { kid, alg },
        KeyRefusal::BadSignature => Denial::BadSignature { kid, alg, error: SignatureError::NotVerified },
    }
}

/// The denial of a request during an outage. `failure` is why the last renewal failed, if it did.
pub(super) fn unavailable(retry_after: u64, failure: Option<&str>, has_copy: bool) -> Denial {
    let cause = match failure {
        Some(failure) => KeysOutage::Provider(Excerpt::new(failure)),
        None if has_copy => KeysOutage::CopyMayBeOlder,
        None => KeysOutage::NoCopy,
    };
    Denial::KeysUnavailable { cause, retry_after }
}
