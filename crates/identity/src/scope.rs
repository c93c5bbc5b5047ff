//! Scopes: what was granted, what a call needs, and what one scope implies.
//!
//! Sources: RFC 6749 §3.3 (grammar), MCP 2026-07-28 authorization (hierarchies). No hash sets:
//! the scopes of a deployment are few, and a sorted vector keeps their order stable in all places that show them.

use std::{collections::BinaryHeap, fmt};

/// A set of scope names, sorted and without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Splits a space-separated list (RFC 6749 §3.3). Names with characters outside the grammar are left out: they
    /// could not be named in a challenge, so nothing can require them.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        list.split(' ').collect()
    }

    /// Whether `scope` is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|known| known.as_str().cmp(scope)).is_ok()
    }

    /// Whether every scope of `needed` is in the set.
    #[must_use]
    pub fn covers(&self, needed: &Self) -> bool {
        needed.0.iter().all(|scope| self.contains(scope))
    }

    /// Both sets together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.iter().filter(|scope| other.contains(scope)).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a name at the end, if it is one; whether that is its place.
    fn push(&mut self, name: &str) -> bool {
        if !is_scope_token(name) {
            return true;
        }
        let is_in_order = self.0.last().is_none_or(|last| last.as_str() < name);
        self.0.push(name.to_owned());
        is_in_order
    }

    fn sort(&mut self) {
        // As borrowed names and by a heap, as everywhere: the code of `sort` would be 4 KB, and that for another type as much.
        let mut names = self.0.iter().map(String::as_str).collect::<BinaryHeap<_>>().into_sorted_vec();
        names.dedup();
        self.0 = names.into_iter().map(str::to_owned).collect();
    }

    /// The names in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let (mut set, mut is_sorted) = (Self::default(), true);
        for name in names {
            is_sorted &= set.push(name);
        }
        if !is_sorted {
            set.sort();
        }
        set
    }
}

/// The space-separated form.
impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

/// `scope-token` of RFC 6749 §3.3: one or more of `%x21 / %x23-5B / %x5D-7E`.
#[must_use]
pub fn is_scope_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_on_spaces_and_sorted() {
        let scopes = Scopes::parse("b  a b \"bad\"");
        assert_eq!(scopes.to_string(), "a b");
        assert!(scopes.contains("a") && !scopes.contains("c"));
    }

    #[test]
    fn an_intersection_has_what_both_sets_have() {
        let both = |one: &str, other: &str| Scopes::parse(one).intersection(&Scopes::parse(other)).to_string();
        assert_eq!(both("a b c", "c d b"), "b c");
        assert_eq!(both("a b", ""), "");
        assert_eq!(both("", "a b"), "");
    }

    #[test]
    fn nothing_needed_is_covered_by_nothing_granted() {
        assert!(Scopes::default().covers(&Scopes::default()));
        assert!(!Scopes::default().covers(&Scopes::parse("a")));
    }
}
