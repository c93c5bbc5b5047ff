//! Scope strings with any content: a sorted set of names that the grammar permits, and rules of sets.

use std::collections::BTreeSet;

use mcp_edge_oauth::{Scopes, is_scope_token, scope_hierarchy::Hierarchy};

use crate::with_text;

/// The first line is what was granted, the second what is needed, each further one `scope implied…`.
pub fn check(input: &[u8]) {
    with_text(input, |input| {
        let mut lines = input.split('\n');
        let (granted, needed) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let mut hierarchy = Hierarchy::default();
        let mut implications = Vec::new();
        for line in lines.take(20) {
            let (scope, implied) = line.split_once(' ').unwrap_or((line, ""));
            hierarchy.imply(scope, &Scopes::parse(implied));
            implications.push((scope, names(implied)));
        }
        let (granted_set, needed_set) = (names(granted), names(needed));
        let (granted, needed) = (parse(granted, &granted_set), parse(needed, &needed_set));
        assert_eq!(granted.covers(&needed), needed_set.is_subset(&granted_set));
        let both = granted.union(&needed);
        assert!(both.covers(&granted) && both.covers(&needed));
        assert_eq!(both.iter().count(), granted_set.union(&needed_set).count());

        let expanded = hierarchy.expand(granted.clone());
        assert_eq!(hierarchy.expand(expanded.clone()), expanded, "it is not complete");
        // Exactly what follows from the rules, and nothing else.
        let mut expected = granted_set;
        while implications.iter().any(|(scope, implied)| {
            let is_new = expected.contains(scope) && !implied.is_subset(&expected);
            if is_new {
                expected.extend(implied);
            }
            is_new
        }) {}
        assert!(expanded.iter().eq(expected.iter().copied()), "{expanded} is not {expected:?}");
    });
}

fn names(list: &str) -> BTreeSet<&str> {
    let is_token = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && !b"\"\\".contains(&byte))
    };
    list.split(' ').filter(is_token).collect()
}

fn parse(list: &str, expected: &BTreeSet<&str>) -> Scopes {
    let scopes = Scopes::parse(list);
    assert!(scopes.iter().eq(expected.iter().copied()), "{scopes} is not {expected:?}");
    assert!(scopes.iter().all(|name| is_scope_token(name) && scopes.contains(name)));
    assert_eq!(scopes.is_empty(), expected.is_empty());
    assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
    assert!(scopes.covers(&scopes) && scopes.covers(&Scopes::default()));
    scopes
}
