//! Patterns of names: exact, or with one `*` that stands for any text, also for none.

/// A pattern. Two that match a common name either contain one another or overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The whole name, or what is before the `*`.
    prefix: String,
    /// What is after the `*`, if there is one.
    suffix: Option<String>,
}

/// How specific a pattern is: exact ones are more specific than others, and of those the longer ones. Of two patterns that
/// contain one another, the contained one is greater.
pub type Specificity = (bool, usize);

impl Pattern {
    /// Creates a pattern. `None` for a text with more than one `*`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self { prefix: text.to_owned(), suffix: None }),
            Some((_, suffix)) if suffix.contains('*') => None,
            Some((prefix, suffix)) => Some(Self { prefix: prefix.to_owned(), suffix: Some(suffix.to_owned()) }),
        }
    }

    /// The pattern of which both parts went through `change`.
    #[must_use]
    pub fn map(&self, change: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let suffix = match &self.suffix {
            Some(suffix) => Some(change(suffix)?),
            None => None,
        };
        Some(Self { prefix: change(&self.prefix)?, suffix })
    }

    /// The pattern as it is written in settings.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.suffix {
            Some(suffix) => [&self.prefix, "*", suffix].concat(),
            None => self.prefix.clone(),
        }
    }

    /// Whether the pattern matches `name`, by a comparison of bytes. What is before and after the `*` shares no byte of it:
    /// `ab*ba` does not match `aba`.
    #[must_use]
    pub fn matches(&self, name: &str, equal: fn(&[u8], &[u8]) -> bool) -> bool {
        let (name, prefix) = (name.as_bytes(), self.prefix.as_bytes());
        let Some(suffix) = &self.suffix else { return equal(name, prefix) };
        let (Some(start), Some(suffix_at)) = (name.get(..prefix.len()), name.len().checked_sub(suffix.len())) else {
            return false;
        };
        suffix_at >= prefix.len() && equal(start, prefix) && equal(&name[suffix_at..], suffix.as_bytes())
    }

    /// The pattern without what begins at its first `?` or `#`; none if it has neither.
    #[must_use]
    pub fn before_query(&self) -> Option<Self> {
        let cut = |part: &str| part.find(['?', '#']).map(|at| part[..at].to_owned());
        match cut(&self.prefix) {
            Some(prefix) => Some(Self { prefix, suffix: None }),
            None => Some(Self { prefix: self.prefix.clone(), suffix: Some(cut(self.suffix.as_ref()?)?) }),
        }
    }

    /// How specific the pattern is.
    #[must_use]
    pub fn specificity(&self) -> Specificity {
        (self.suffix.is_none(), self.prefix.len() + self.suffix.as_ref().map_or(0, String::len))
    }

    /// Whether every name that `other` matches matches this pattern, too.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        match (&self.suffix, &other.suffix) {
            (_, None) => self.matches(&other.prefix, |one, another| one == another),
            (None, Some(_)) => false,
            (Some(mine), Some(theirs)) => other.prefix.starts_with(&self.prefix) && theirs.ends_with(mine.as_str()),
        }
    }

    /// The patterns of the names that both patterns match, if neither contains the other: none if they have no name in
    /// common. The first has the longer prefix and the longer suffix of both; the others are the names in which these
    /// share bytes.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Vec<Self> {
        let (Some(mine), Some(theirs)) = (&self.suffix, &other.suffix) else { return Vec::new() };
        if self.contains(other) || other.contains(self) {
            return Vec::new();
        }
        let longer =
            |one: &String, another: &String| if one.len() > another.len() { one.clone() } else { another.clone() };
        let (prefix, suffix) = (longer(&self.prefix, &other.prefix), longer(mine, theirs));
        let both = Self { prefix, suffix: Some(suffix) };
        if !self.contains(&both) || !other.contains(&both) {
            return Vec::new();
        }
        let (prefix, suffix) = (both.prefix.clone(), both.suffix.clone().unwrap_or_default());
        let shared = (1..=prefix.len().min(suffix.len())).filter_map(|shared| {
            let rest = suffix.get(shared..).filter(|_| prefix.as_bytes().ends_with(&suffix.as_bytes()[..shared]))?;
            Some(Self { prefix: [&prefix, rest].concat(), suffix: None })
        });
        let shared = shared.filter(|name| self.contains(name) && other.contains(name));
        std::iter::once(both.clone()).chain(shared).collect()
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    fn matches(text: &str, name: &str) -> bool {
        pattern(text).matches(name, |one, another| one == another)
    }

    fn overlap(one: &str, another: &str) -> Vec<String> {
        pattern(one).overlap(&pattern(another)).iter().map(Pattern::text).collect()
    }

    #[test]
    fn a_pattern_is_exact_or_has_one_star_anywhere() {
        for (text, name) in
            [("a", "a"), ("*", ""), ("*", "a"), ("a*", "a"), ("a*", "ab"), ("*a", "ba"), ("ab*ba", "abba")]
        {
            assert!(matches(text, name), "{text} {name}");
        }
        for (text, name) in
            [("a", "ab"), ("a", ""), ("a*", "ba"), ("*a", "ab"), ("ab*ba", "aba"), ("a*", "A"), ("ab*", "a")]
        {
            assert!(!matches(text, name), "{text} {name}");
        }
        assert_eq!(Pattern::new("a**"), None);
        assert_eq!(Pattern::new("*a*"), None);
    }

    #[test]
    fn a_pattern_is_cut_before_its_query() {
        for (text, cut) in [
            ("a?b", Some("a")),
            ("a?b*c", Some("a")),
            ("a#b*c?d", Some("a")),
            ("a*?b", Some("a*")),
            ("a*b#c?", Some("a*b")),
            ("a", None),
            ("a*b", None),
        ] {
            assert_eq!(pattern(text).before_query(), cut.map(pattern), "{text}");
        }
    }

    #[test]
    fn characters_of_several_bytes_are_not_cut() {
        assert!(matches("*\u{e4}", "\u{e4}") && matches("\u{e4}*", "\u{e4}\u{e4}"));
        assert!(!matches("*\u{e4}", "\u{a4}"));
    }

    #[test]
    fn of_two_patterns_one_contains_the_other_or_both_overlap_or_neither() {
        for (wide, narrow) in [("*", "a*"), ("a*", "ab*"), ("*a", "*ba"), ("a*", "a"), ("a*c", "ab*bc"), ("*", "*")] {
            assert!(pattern(wide).contains(&pattern(narrow)), "{wide} {narrow}");
            assert_eq!(overlap(wide, narrow), [""; 0]);
        }
        assert_eq!(overlap("get_*", "*_admin"), ["get_*_admin", "get_admin"]);
        assert_eq!(overlap("ab*", "*ba"), ["ab*ba", "aba"]);
        assert_eq!(overlap("aa*", "*aa"), ["aa*aa", "aaa", "aa"]);
        assert_eq!(overlap("a*bc", "ab*c"), ["ab*bc", "abc"]);
        for (one, another) in [("a*", "b*"), ("*a", "*b"), ("a*x", "ab*y"), ("a", "b"), ("a", "b*")] {
            assert_eq!(overlap(one, another), [""; 0], "{one} {another}");
        }
    }

    proptest! {
        #[test]
        fn containment_and_overlap_are_those_of_the_names(one in "[ab]{0,3}\\*?[ab]{0,3}", another in "[ab]{0,3}\\*?[ab]{0,3}") {
            let names: Vec<String> = (0..10_u32).flat_map(|length| (0..1_u32 << length).map(move |bits| {
                (0..length).map(|bit| if bits >> bit & 1 == 1 { 'a' } else { 'b' }).collect()
            })).collect();
            let (p, q) = (pattern(&one), pattern(&another));
            let matched = |text: &str| names.iter().filter(|name| matches(text, name)).cloned().collect::<Vec<_>>();
            let (of_p, of_q) = (matched(&one), matched(&another));
            prop_assert_eq!(p.contains(&q), of_q.iter().all(|name| of_p.contains(name)));
            if p.contains(&q) && p != q {
                prop_assert!(q.specificity() > p.specificity());
            }
            let overlap = p.overlap(&q);
            for name in &names {
                let in_both = of_p.contains(name) && of_q.contains(name) && !p.contains(&q) && !q.contains(&p);
                prop_assert_eq!(in_both, overlap.iter().any(|both| both.matches(name, |a, b| a == b)), "{}", name);
            }
        }
    }
}
