//! Patterns of names: exact, or with one `*` for any text; and names without regard to case.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// One name.
    Exact(String),
    /// What names begin with, and what they end with.
    Wildcard(String, String),
}

impl Pattern {
    /// Reads a pattern. `None` if it has more than one `*`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self::Exact(text.to_owned())),
            Some((_, after)) if after.contains('*') => None,
            Some((before, after)) => Some(Self::Wildcard(before.to_owned(), after.to_owned())),
        }
    }

    /// The pattern with both parts changed. `None` if one cannot be.
    #[must_use]
    pub fn changed(&self, change: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(match self {
            Self::Exact(name) => Self::Exact(change(name)?),
            Self::Wildcard(before, after) => Self::Wildcard(change(before)?, change(after)?),
        })
    }

    /// The pattern of the same URIs without query and fragment. `None` if it says nothing about either.
    #[must_use]
    pub fn without_query(&self) -> Option<Self> {
        match self {
            Self::Exact(text) | Self::Wildcard(text, _) if text.contains(['?', '#']) => {
                text.split(['?', '#']).next().map(|path| Self::Exact(path.to_owned()))
            }
            Self::Exact(_) => None,
            Self::Wildcard(before, after) => {
                let (path, _) = after.split_once(['?', '#'])?;
                Some(Self::Wildcard(before.clone(), path.to_owned()))
            }
        }
    }

    /// What every name begins with that it matches.
    #[must_use]
    pub fn beginning(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Wildcard(text, _) => text,
        }
    }

    /// Whether it matches a name. Beginning and end share no character.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => text == name,
            Self::Wildcard(before, after) => {
                name.strip_prefix(before.as_str()).is_some_and(|rest| rest.ends_with(after.as_str()))
            }
        }
    }

    /// Whether it matches every name that the other one matches.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(name)) => self.matches(name),
            (Self::Exact(_), Self::Wildcard(..)) => false,
            (Self::Wildcard(before, after), Self::Wildcard(first, last)) => {
                first.starts_with(before.as_str()) && last.ends_with(after.as_str())
            }
        }
    }

    /// Patterns that together match the names that both match, if neither contains the other; else none.
    #[must_use]
    pub fn common(&self, other: &Self) -> Vec<Self> {
        let (Self::Wildcard(before, after), Self::Wildcard(first, last)) = (self, other) else { return Vec::new() };
        if self.contains(other) || other.contains(self) {
            return Vec::new();
        }
        let (begin, end) = (longer(before, first), longer(after, last));
        let both = Self::Wildcard(begin.clone(), end.clone());
        if !self.contains(&both) || !other.contains(&both) {
            return Vec::new();
        }
        // Names that are so short that the longer beginning and the longer end share some of their characters.
        let shorter = (0..end.len()).filter_map(|kept| {
            let (shared, rest) = end.split_at_checked(end.len() - kept)?;
            let name = Self::Exact(format!("{begin}{rest}"));
            (begin.ends_with(shared) && self.contains(&name) && other.contains(&name)).then_some(name)
        });
        let shorter: Vec<_> = shorter.collect();
        [both].into_iter().chain(shorter).collect()
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Wildcard(before, after) => write!(f, "{before}*{after}"),
        }
    }
}

fn longer(one: &str, other: &str) -> String {
    if one.len() > other.len() { one.to_owned() } else { other.to_owned() }
}

/// A text without regard to case: the letters of ASCII, and the others that some languages change into them.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            'ſ' => folded.push('s'),
            '\u{212a}' => folded.push('k'),
            'ı' | 'İ' => folded.push('i'),
            'ß' | 'ẞ' => folded.push_str("ss"),
            'ﬀ' => folded.push_str("ff"),
            'ﬁ' => folded.push_str("fi"),
            'ﬂ' => folded.push_str("fl"),
            'ﬃ' => folded.push_str("ffi"),
            'ﬄ' => folded.push_str("ffl"),
            'ﬅ' | 'ﬆ' => folded.push_str("st"),
            other => folded.push(other.to_ascii_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (text, name) in [("a", "a"), ("*", ""), ("a*", "a"), ("*a", "ba"), ("get*get", "getget"), ("ä*", "ää")] {
            assert!(pattern(text).matches(name), "{text} {name}");
        }
        for (text, name) in [("a", "A"), ("a", "ab"), ("get_*", "get"), ("get*get", "get"), ("ab*ba", "aba")] {
            assert!(!pattern(text).matches(name), "{text} {name}");
        }
        assert_eq!(Pattern::parse("a*b*"), None);
    }

    #[test]
    fn two_patterns_contain_each_other_or_have_names_in_common() {
        let common = |one: &str, other: &str| {
            pattern(one).common(&pattern(other)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(common("get_*", "*_all"), ["get_*_all", "get_all"]);
        assert_eq!(common("ab*", "*ba"), ["ab*ba", "aba"]);
        for (one, other) in [("a*", "b*"), ("a*", "ab*"), ("a", "a*"), ("*", "*a"), ("a", "b")] {
            assert_eq!(common(one, other), [""; 0], "{one} {other}");
        }
    }
}
