//! Negative cache: `kid`s that were looked for and are not published.

use std::collections::VecDeque;

use super::query::KeyQuery;
use crate::keys::key_set::KeySet;

/// How many unknown `kid`s are remembered; a flood of invented ones pushes out the oldest.
pub const MAX_UNKNOWN_KIDS: usize = 256;

/// How long an unknown `kid` is remembered.
pub const UNKNOWN_KID_SECONDS: u64 = 30;

/// A longer `kid` is not worth remembering: nobody publishes one.
pub(super) const MAX_KID_BYTES: usize = 256;

/// The `kid`s that tokens were refused for, the oldest first. Bounded.
#[derive(Debug, Default)]
pub(super) struct UnknownKids(VecDeque<UnknownKid>);

#[derive(Debug)]
struct UnknownKid {
    kid: String,
    /// When the token was refused, in seconds since 1970.
    since: u64,
    /// Tokens issued up to then are refused as well. It is the issue time of that token, or the fetch that proved it
    /// wrong if that was earlier: a stranger's token must not speak for a key that is published later.
    up_to: u64,
}

impl UnknownKids {
    /// Whether it was found out that no such key is published. That says nothing about a token that was issued later:
    /// somebody may have guessed the name of a key to come.
    pub fn contains(&self, query: KeyQuery<'_>, now: u64) -> bool {
        query.kid.is_some_and(|kid| {
            self.0.iter().any(|known| {
                known.kid == kid
                    && now < known.since + UNKNOWN_KID_SECONDS
                    && query.issued_at.is_none_or(|issued_at| issued_at <= known.up_to)
            })
        })
    }

    /// Remembers that the key set fetched at `fetched_at` has no such key.
    pub fn insert(&mut self, query: KeyQuery<'_>, fetched_at: u64, now: u64) {
        let Some(kid) = query.kid.filter(|kid| kid.len() <= MAX_KID_BYTES) else { return };
        if self.contains(query, now) {
            return;
        }
        self.0.retain(|known| known.kid != kid && now < known.since + UNKNOWN_KID_SECONDS);
        if self.0.len() == MAX_UNKNOWN_KIDS {
            self.0.pop_front();
        }
        let up_to = query.issued_at.map_or(fetched_at, |issued_at| issued_at.min(fetched_at));
        self.0.push_back(UnknownKid { kid: kid.to_owned(), since: now, up_to });
    }

    /// Forgets the keys that are published by now.
    pub fn forget_published(&mut self, keys: &KeySet) {
        self.0.retain(|unknown| keys.iter().all(|key| key.kid.as_ref() != Some(&unknown.kid)));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub fn longest(&self) -> usize {
        self.0.iter().map(|unknown| unknown.kid.len()).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use mcp_edge_runtime::crypto::Algorithm;
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_795_000_000;

    fn query(kid: &str) -> KeyQuery<'_> {
        KeyQuery { kid: Some(kid), algorithm: Algorithm::EdDSA, issued_at: Some(NOW), disproved: None }
    }

    #[test]
    fn a_name_is_remembered_for_its_time() {
        let mut unknown = UnknownKids::default();
        unknown.insert(query("x"), NOW, NOW);
        assert!(unknown.contains(query("x"), NOW + UNKNOWN_KID_SECONDS - 1));
        assert!(!unknown.contains(query("x"), NOW + UNKNOWN_KID_SECONDS));
        assert!(!unknown.contains(query("y"), NOW));
        // The next one that is remembered pushes out what has ended, and nothing else.
        unknown.insert(query("y"), NOW, NOW + 1);
        assert_eq!(unknown.len(), 2);
        unknown.insert(query("z"), NOW, NOW + UNKNOWN_KID_SECONDS);
        assert_eq!(unknown.len(), 2);
        assert!(unknown.contains(query("y"), NOW + UNKNOWN_KID_SECONDS));
    }

    #[test]
    fn a_name_is_remembered_once() {
        let mut unknown = UnknownKids::default();
        unknown.insert(query("x"), NOW, NOW);
        unknown.insert(query("y"), NOW, NOW);
        unknown.insert(query("x"), NOW, NOW + 10);
        assert!(!unknown.contains(query("x"), NOW + UNKNOWN_KID_SECONDS), "still from its first time");
        // A token that was issued later is another question.
        let later = |kid| KeyQuery { issued_at: Some(NOW + 20), ..query(kid) };
        unknown.insert(later("x"), NOW + 20, NOW + 20);
        assert_eq!(unknown.len(), 2);
        assert!(unknown.contains(later("x"), NOW + 20) && unknown.contains(query("y"), NOW + 20));
    }

    #[test]
    fn the_oldest_is_pushed_out_when_there_are_too_many() {
        let mut unknown = UnknownKids::default();
        for number in 0..=MAX_UNKNOWN_KIDS {
            unknown.insert(query(&number.to_string()), NOW, NOW);
            assert_eq!(unknown.len(), (number + 1).min(MAX_UNKNOWN_KIDS));
        }
        assert!(!unknown.contains(query("0"), NOW) && unknown.contains(query("1"), NOW));
    }

    #[test]
    fn what_is_published_is_forgotten_and_the_rest_is_not() {
        let mut unknown = UnknownKids::default();
        unknown.insert(query("x"), NOW, NOW);
        unknown.insert(query("y"), NOW, NOW);
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "x", "x": x}]});
        unknown.forget_published(&KeySet::parse(&keys.to_string()).unwrap());
        assert!(!unknown.contains(query("x"), NOW) && unknown.contains(query("y"), NOW));
    }
}
