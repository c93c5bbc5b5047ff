//! Tables of patterns (`TOOL_SCOPES`, `PROMPT_SCOPES`, `RESOURCE_SCOPES`): who may use which tool, prompt and resource.
//!
//! This is a second implementation of the gateway's rules: shared code would hide its own errors.

use super::resource_uri;
use crate::explain::settings::lists::is_scope;

/// What the entries of a table are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Names of tools or prompts.
    Plain,
    /// URIs of resources, and URI templates.
    Uris,
}

/// A table, as an operator writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTable {
    names: Names,
    rules: Vec<Rule>,
}

/// An entry of a table: a pattern, and what its names need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The pattern, as written.
    pub pattern: String,
    /// What is needed: scopes, `user`, `first_party`; or `allow` or `deny` alone.
    pub needs: Vec<String>,
    form: Pattern,
    folded: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exact(String),
    /// What stands before `*`, and what after it.
    Wildcard(String, String),
}

/// What a table says about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// This rule decides.
    Rule(&'a Rule),
    /// Nobody may use it, because of this, to follow its name.
    Nobody(String),
}

impl Pattern {
    fn new(text: &str) -> Option<Self> {
        match text.split_once('*') {
            None => Some(Self::Exact(text.to_owned())),
            Some((_, after)) if after.contains('*') => None,
            Some((before, after)) => Some(Self::Wildcard(before.to_owned(), after.to_owned())),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(text) => text == name,
            Self::Wildcard(before, after) => {
                name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
            }
        }
    }

    /// Whether it matches every name that the other one matches.
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(name)) => self.matches(name),
            (Self::Exact(_), Self::Wildcard(..)) => false,
            (Self::Wildcard(before, after), Self::Wildcard(first, last)) => {
                first.starts_with(before.as_str()) && last.ends_with(after.as_str())
            }
        }
    }

    /// Whether a name exists that both match.
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(name), pattern) | (pattern, Self::Exact(name)) => pattern.matches(name),
            (Self::Wildcard(before, after), Self::Wildcard(first, last)) => {
                let begins = before.starts_with(first.as_str()) || first.starts_with(before.as_str());
                begins && (after.ends_with(last.as_str()) || last.ends_with(after.as_str()))
            }
        }
    }
}

impl Rule {
    fn parse(entry: &str, names: Names) -> Result<Self, String> {
        let wrong = |why: &str| format!("{entry:?} {why}");
        let form = "must have the form pattern=need,need";
        let (pattern, needs) = entry.rsplit_once('=').ok_or_else(|| wrong(form))?;
        let needs: Vec<_> = needs.split(',').map(str::to_owned).collect();
        if pattern.is_empty() || !needs.iter().all(|need| is_scope(need)) {
            return Err(wrong(form));
        }
        if needs.len() > 1 && needs.iter().any(|need| need == "allow" || need == "deny") {
            return Err(wrong("must have allow or deny alone"));
        }
        let canonical = match names {
            Names::Plain => pattern.to_owned(),
            Names::Uris => resource_uri::canonical(pattern).map_err(|why| wrong(&format!("is a URI {why}")))?,
        };
        let of = |text: &str| Pattern::new(text).ok_or_else(|| wrong("has more than one *"));
        Ok(Self { pattern: pattern.to_owned(), form: of(&canonical)?, folded: of(&fold(&canonical))?, needs })
    }

    /// Whether nobody may use what it matches.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        self.needs == ["deny"]
    }

    /// Whether a valid token is enough.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.needs == ["allow"]
    }

    /// The text that every name begins with that the pattern matches.
    #[must_use]
    pub fn beginning(&self) -> &str {
        match &self.form {
            Pattern::Exact(text) | Pattern::Wildcard(text, _) => text,
        }
    }
}

impl AccessTable {
    /// Reads a table: entries `pattern=need,need`, separated by white space.
    ///
    /// # Errors
    /// What is wrong with the first wrong entry.
    pub fn parse(text: &str, names: Names) -> Result<Self, String> {
        let mut rules: Vec<Rule> = Vec::new();
        for entry in text.split_whitespace() {
            let rule = Rule::parse(entry, names)?;
            for earlier in &rules {
                let (one, other) = (&earlier.form, &rule.form);
                if one == other {
                    return Err(format!("{:?} occurs twice", rule.pattern));
                }
                if one.overlaps(other) && !one.contains(other) && !other.contains(one) {
                    return Err(format!(
                        "{:?} and {:?} match some of the same names, and neither is more specific",
                        earlier.pattern, rule.pattern
                    ));
                }
            }
            rules.push(rule);
        }
        Ok(Self { names, rules })
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether a rule of the table matches a name, a URI or a URI template, be it the most specific one or not.
    #[must_use]
    pub fn matches(&self, rule: &Rule, name: &str) -> bool {
        self.canonical(name).is_ok_and(|name| rule.form.matches(&name))
    }

    fn canonical(&self, name: &str) -> Result<String, &'static str> {
        match self.names {
            Names::Plain => Ok(name.to_owned()),
            Names::Uris => resource_uri::canonical(name),
        }
    }

    /// What the table says about a name, a URI or a URI template: the most specific rule that matches. A name that a
    /// server without regard to case might take for one of another rule is nobody's.
    #[must_use]
    pub fn find(&self, name: &str) -> Found<'_> {
        let name = match self.canonical(name) {
            Ok(name) => name,
            Err(why) => return Found::Nobody(format!("is a URI {why}")),
        };
        let exact = most_specific(self.rules.iter().map(|rule| (rule, &rule.form)), &name);
        let folded = most_specific(self.rules.iter().map(|rule| (rule, &rule.folded)), &fold(&name));
        match (exact.as_slice(), folded.as_slice()) {
            ([rule], [same]) if rule.pattern == same.pattern => Found::Rule(rule),
            (_, [other, ..]) => Found::Nobody(format!("differs from {:?} in case", other.pattern)),
            // Folded patterns match all that they match as written.
            (_, []) => Found::Nobody("matches no pattern".to_owned()),
        }
    }
}

/// The rules whose pattern matches, without those that contain another one of them.
fn most_specific<'a>(rules: impl Iterator<Item = (&'a Rule, &'a Pattern)>, name: &str) -> Vec<&'a Rule> {
    let matching: Vec<_> = rules.filter(|(_, pattern)| pattern.matches(name)).collect();
    let is_wider = |pattern: &Pattern| matching.iter().any(|(_, other)| pattern != *other && pattern.contains(other));
    matching.iter().filter(|(_, pattern)| !is_wider(pattern)).map(|(rule, _)| *rule).collect()
}

/// A name without regard to case, as servers compare that do so: the letters of ASCII, and the four others that some
/// languages fold into them.
fn fold(text: &str) -> String {
    let fold = |char| match char {
        'ſ' => 's',
        '\u{212a}' => 'k',
        'ı' | 'İ' => 'i',
        other => other.to_ascii_lowercase(),
    };
    text.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(table: &str, names: Names, name: &str) -> String {
        match AccessTable::parse(table, names).unwrap().find(name) {
            Found::Rule(rule) => rule.needs.join(","),
            Found::Nobody(why) => why,
        }
    }

    #[test]
    fn the_most_specific_pattern_decides() {
        let table = "*=deny search*=docs:read search_all=docs:read,user a=b=x";
        for (name, needs) in
            [("search_docs", "docs:read"), ("search_all", "docs:read,user"), ("drop", "deny"), ("a=b", "x")]
        {
            assert_eq!(found(table, Names::Plain, name), needs, "{name}");
        }
        assert_eq!(found("*_safe=allow *=deny", Names::Plain, "drop_safe"), "allow");
        assert_eq!(found("get_*=x", Names::Plain, "get"), "matches no pattern");
        assert_eq!(found("get*get=x", Names::Plain, "getget"), "x");
        assert_eq!(found("get*get=x", Names::Plain, "get"), "matches no pattern");
    }

    #[test]
    fn a_name_that_differs_from_a_pattern_in_case_is_nobodys() {
        for name in ["Delete", "DELETE_ALL", "delete_a\u{17f}"] {
            let why = found("*=allow delete*=deny delete_as=deny", Names::Plain, name);
            assert!(why.contains("in case"), "{name}: {why}");
        }
        assert_eq!(found("*=allow Delete=x", Names::Plain, "Delete"), "x");
        assert_eq!(found("delete=x", Names::Plain, "\u{130}d"), "matches no pattern");
        assert!(found("list=x", Names::Plain, "l\u{131}st").contains("in case"));
        assert!(found("task=x", Names::Plain, "tas\u{212a}").contains("in case"));
    }

    #[test]
    fn uris_are_compared_in_canonical_form() {
        assert_eq!(found("docs://a/ü*=x", Names::Uris, "docs://a/%c3%bcb"), "x");
        assert_eq!(found("docs://*=x", Names::Uris, "docs://{owner}/{path}"), "x");
        assert!(found("*=allow", Names::Uris, "docs://a/../b").contains("segment"));
    }

    #[test]
    fn a_wrong_table_is_explained() {
        for (table, names, sentence) in [
            ("search", Names::Plain, "must have the form"),
            ("search=", Names::Plain, "must have the form"),
            ("=x", Names::Plain, "must have the form"),
            ("a=x,,y", Names::Plain, "must have the form"),
            ("a*b*=x", Names::Plain, "more than one *"),
            ("a=x,deny", Names::Plain, "alone"),
            ("a=x a=y", Names::Plain, "occurs twice"),
            ("a*=x *b=y", Names::Plain, "neither is more specific"),
            ("docs://A/*=x", Names::Uris, "host has capitals"),
        ] {
            let error = AccessTable::parse(table, names).unwrap_err();
            assert!(error.contains(sentence), "{table}: {error}");
        }
        assert_eq!(AccessTable::parse(" ", Names::Plain).unwrap().rules().len(), 0);
    }
}
