//! Tables of patterns (`TOOL_SCOPES`, `PROMPT_SCOPES`, `RESOURCE_SCOPES`): who may use which tool, prompt and resource.
//!
//! This is a second implementation of the gateway's rules: shared code would hide its own errors. `tests/agreement` compares
//! the two.

use super::{
    pattern::{Pattern, fold},
    resource_uri,
};
use crate::explain::settings::lists::is_scope;

/// The most entries of a table.
const MAX_ENTRIES: usize = 200;

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
    /// What is needed: scopes, `user`, `first_party`, `no_keys`; or `allow` or `deny` alone.
    pub needs: Vec<String>,
    form: Pattern,
    folded: Pattern,
}

/// What a table says about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// This rule decides.
    Rule(&'a Rule),
    /// Nobody may use it, because of this, to follow its name.
    Nobody(String),
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
        let is_misspelt = |need: &&String| {
            let lower = need.to_ascii_lowercase();
            ["allow", "deny", "user", "first_party", "no_keys"].contains(&lower.as_str()) && lower != **need
        };
        if needs.iter().find(is_misspelt).is_some() {
            return Err(wrong("must have allow, deny, user, first_party and no_keys in lower case"));
        }
        let canonical = match names {
            Names::Plain => Ok(pattern.to_owned()),
            Names::Uris => resource_uri::canonical_pattern(pattern).map_err(|why| wrong(&format!("is a URI {why}"))),
        };
        let form = Pattern::parse(&canonical?).ok_or_else(|| wrong("has more than one *"))?;
        let folded = form.changed(|part| folded(names, part));
        let folded = folded.ok_or_else(|| wrong("must have percent-encoded UTF-8 on each side of *"))?;
        Ok(Self { pattern: pattern.to_owned(), form, folded, needs })
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

    /// What every name begins with that the pattern matches.
    #[must_use]
    pub fn beginning(&self) -> &str {
        self.form.beginning()
    }
}

impl AccessTable {
    /// Reads a table: entries `pattern=need,need`, separated by white space.
    ///
    /// # Errors
    /// What is wrong with the first wrong entry.
    pub fn parse(text: &str, names: Names) -> Result<Self, String> {
        let rules = text.split_ascii_whitespace().map(|entry| Rule::parse(entry, names));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        if rules.len() > MAX_ENTRIES {
            return Err(format!("{} entries are more than {MAX_ENTRIES}", rules.len()));
        }
        for (index, one) in rules.iter().enumerate() {
            for other in rules.iter().skip(index + 1) {
                check_pair(one, other, &rules)?;
            }
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

    /// What the table says about a name, a URI or a URI template: the most specific rule that matches. A name that another
    /// program might take for one of another rule is nobody's.
    #[must_use]
    pub fn find(&self, name: &str) -> Found<'_> {
        let name = match self.canonical(name) {
            Ok(name) => name,
            Err(why) => return Found::Nobody(why),
        };
        let Some(alike) = folded(self.names, &name) else {
            return Found::Nobody("is a URI with a percent-encoding that is not UTF-8".to_owned());
        };
        let exact = most_specific(self.rules.iter().map(|rule| (rule, &rule.form)), &name);
        let folded_name = alike;
        let alike = most_specific(self.rules.iter().map(|rule| (rule, &rule.folded)), &folded_name);
        match (exact.as_slice(), alike.as_slice()) {
            ([rule], [same]) if rule.pattern == same.pattern => match self.conflict(rule, &name, &folded_name) {
                Some(why) => Found::Nobody(why),
                None => Found::Rule(rule),
            },
            // Folded patterns match all that they match as written.
            (_, []) => Found::Nobody("matches no pattern".to_owned()),
            (_, [other, ..]) => {
                let how = if self.names == Names::Plain { "case" } else { "case or percent-encoding" };
                Found::Nobody(format!("differs from {:?} in {how}", other.pattern))
            }
        }
    }

    /// Why a program that drops query and fragment might take a URI for one of another rule, to follow the URI. A rule that
    /// says something about them counts if no other one says something else about what is before them.
    fn conflict(&self, rule: &Rule, uri: &str, folded: &str) -> Option<String> {
        let path_alike = (self.names == Names::Uris).then(|| resource_uri::without_query(folded)).flatten()?;
        let path = match resource_uri::without_query(uri) {
            Some(path) if path.contains("%3F") || path.contains("%23") => {
                return Some("has a ? or # percent-encoded in front of another".to_owned());
            }
            Some(path) => path,
            None => uri,
        };
        let alike = self.rules.iter().filter(|other| other.folded.matches(path_alike));
        let others: Vec<_> = match rule.folded.without_query() {
            Some(own) if !own.matches(path_alike) => {
                return Some("has a query that a pattern names elsewhere".to_owned());
            }
            Some(own) => alike.filter(|other| !other.folded.contains(&own)).collect(),
            None => {
                let exact = most_specific(self.rules.iter().map(|rule| (rule, &rule.form)), path);
                let alike = most_specific(self.rules.iter().map(|rule| (rule, &rule.folded)), path_alike);
                if exact.is_empty() || alike.is_empty() {
                    return Some("matches no pattern without its query".to_owned());
                }
                exact.into_iter().chain(alike).filter(|other| other.pattern != rule.pattern).collect()
            }
        };
        others.first().map(|other| format!("matches {:?} without its query", other.pattern))
    }

    /// A name in the form in which it is compared; otherwise why nobody may use it, to follow the name.
    fn canonical(&self, name: &str) -> Result<String, String> {
        match self.names {
            Names::Uris => resource_uri::canonical(name).map_err(|why| format!("is a URI {why}")),
            Names::Plain if name.is_empty() || name.trim() != name || name.bytes().any(|it| it.is_ascii_control()) => {
                Err("is empty, or has a control character, or white space at an end".to_owned())
            }
            Names::Plain => Ok(name.to_owned()),
        }
    }
}

/// Checks that two rules leave open about no name which of them decides.
fn check_pair(one: &Rule, other: &Rule, rules: &[Rule]) -> Result<(), String> {
    if one.form == other.form {
        return Err(format!("{:?} occurs twice", other.pattern));
    }
    if one.folded == other.folded {
        return Err(format!("{:?} and {:?} are the same without regard to case", one.pattern, other.pattern));
    }
    let common = one.folded.common(&other.folded);
    match common.iter().find(|common| rules.iter().all(|rule| rule.folded != **common)) {
        None => Ok(()),
        Some(common) => Err(format!(
            "{:?} and {:?} match some of the same names, and neither is more specific: add {common}=…",
            one.pattern, other.pattern
        )),
    }
}

/// The rules whose pattern matches, without those that contain another one of them.
fn most_specific<'a>(rules: impl Iterator<Item = (&'a Rule, &'a Pattern)>, name: &str) -> Vec<&'a Rule> {
    let matching: Vec<_> = rules.filter(|(_, pattern)| pattern.matches(name)).collect();
    let is_wider = |pattern: &Pattern| matching.iter().any(|(_, other)| pattern != *other && pattern.contains(other));
    matching.iter().filter(|(_, pattern)| !is_wider(pattern)).map(|(rule, _)| *rule).collect()
}

/// A canonical name, or a part of one, as a program may read it that ignores case or decodes URIs.
fn folded(names: Names, name: &str) -> Option<String> {
    match names {
        Names::Plain => Some(fold(name)),
        Names::Uris => resource_uri::folded(name),
    }
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
        assert_eq!(found("get_*=x *_all=y get_*_all=z get_all=z", Names::Plain, "get_x_all"), "z");
        assert_eq!(found("get_*=x", Names::Plain, "get"), "matches no pattern");
        assert!(found("*=allow", Names::Plain, "get ").contains("white space"));
    }

    #[test]
    fn a_name_that_differs_from_a_pattern_in_case_is_nobodys() {
        for name in ["Delete", "DELETE_ALL", "delete_a\u{17f}"] {
            let why = found("*=allow delete*=deny delete_as=deny", Names::Plain, name);
            assert!(why.contains("in case"), "{name}: {why}");
        }
        assert_eq!(found("*=allow Delete=x", Names::Plain, "Delete"), "x");
        assert!(found("list=x", Names::Plain, "l\u{131}st").contains("in case"));
        assert!(found("task=x", Names::Plain, "tas\u{212a}").contains("in case"));
        assert!(found("process=x", Names::Plain, "proceß").contains("in case"));
    }

    #[test]
    fn uris_are_compared_in_canonical_form() {
        assert_eq!(found("docs://a/ü*=x", Names::Uris, "docs://a/%c3%bcb"), "x");
        assert_eq!(found("docs://*=x", Names::Uris, "docs://{owner}/{path}"), "x");
        assert!(found("*=allow", Names::Uris, "docs://a/../b").contains("segment"));
        assert!(found("docs://a*=x docs://a/b=y", Names::Uris, "docs://a%2Fb").contains("percent-encoding"));
    }

    #[test]
    fn a_query_leads_to_no_other_rule() {
        let table = "docs://*=read docs://x/admin=admin docs://search?q=*=q docs://search=deny docs://x*?raw=raw";
        for (uri, needs) in [("docs://x?y", "read"), ("docs://search?q=a", "q"), ("docs://x1?raw", "raw")] {
            assert_eq!(found(table, Names::Uris, uri), needs, "{uri}");
        }
        for uri in
            ["docs://x/admin?", "docs://x/Admin#y", "docs://x/admin%3Fy", "docs://search?p", "docs://x/admin?raw"]
        {
            let why = found(table, Names::Uris, uri);
            assert!(why.contains("without its query"), "{uri}: {why}");
        }
        assert!(found("docs://*b=x", Names::Uris, "docs://a?b").contains("matches no pattern"));
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
            ("a=Deny", Names::Plain, "lower case"),
            ("a=x a=y", Names::Plain, "occurs twice"),
            ("a=x A=y", Names::Plain, "without regard to case"),
            ("a*=x *b=y", Names::Plain, "neither is more specific: add a*b=…"),
            ("https://A/*=x", Names::Uris, "whose host"),
            ("docs://a%C3*=x", Names::Uris, "UTF-8"),
        ] {
            let error = AccessTable::parse(table, names).unwrap_err();
            assert!(error.contains(sentence), "{table}: {error}");
        }
        assert_eq!(AccessTable::parse(" ", Names::Plain).unwrap().rules().len(), 0);
    }
}
