//! A table of patterns and needs, and the entry that counts for a name.

use std::borrow::Cow;

use mcp_edge_identity::{AccessNeeded, Identity, Requirements, Scopes};
use mcp_edge_protocol::{members::fold, security_schemes::security_schemes};
use mcp_edge_runtime::settings::Reader;

use super::{needs, pattern::Pattern, uri};

/// Each lookup goes through all of them, and reading the settings compares each with each. Cloudflare's limit of 5 KB for a
/// variable is reached with about as many.
const MAX_ENTRIES: usize = 200;

/// Whether a caller may use something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Yes.
    Granted,
    /// With further scopes: all that the operation needs, not just the missing ones.
    Obtainable(Scopes),
    /// No, and no scope would help.
    Denied,
}

/// What the names of a table are, which decides how they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Names of tools.
    Tools,
    /// Names of prompts.
    Prompts,
    /// URIs of resources, and URI templates.
    Resources,
}

/// A table such as `TOOL_SCOPES`.
#[derive(Debug, Clone)]
pub struct AccessTable {
    names: Names,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// As it is written; for URIs in their canonical form.
    pattern: Pattern,
    /// As an upstream may see it that compares without case, or decodes URIs.
    folded: Pattern,
    /// None: nobody.
    needs: Option<Requirements>,
    /// Of tools: what lists say of them, as JSON.
    security_schemes: Option<String>,
}

impl AccessTable {
    /// Reads a table: entries `pattern=need[,need…]`, separated by white space, split at the last `=`. A pattern is exact, or
    /// has one `*`. A need is a scope, `user`, `first_party`, `no_keys`, or alone `allow` or `deny`. Of the entries that
    /// match a name, the most specific one counts, in any order. For a name that two entries match of which neither is more
    /// specific, there must be a third one.
    pub fn read(reader: &mut Reader<'_>, setting: &'static str, names: Names) -> Self {
        let mut table = Self { names, entries: Vec::new() };
        let words = reader.words(setting);
        if words.len() > MAX_ENTRIES {
            let count = words.len().to_string();
            reader.error([setting, " has ", &count, " entries, and may have 200: use patterns with *"].concat());
            return table;
        }
        for word in words {
            match Entry::parse(&word, names) {
                Ok(entry) => table.entries.push(entry),
                Err(problem) => reader.wrong_entry(setting, &word, &problem),
            }
        }
        table.check(reader, setting);
        table.write_security_schemes(Scopes::clone);
        table
    }

    /// What this caller may do with the tool, prompt or resource of this name, or with this URI template.
    #[must_use]
    pub fn access(&self, name: &str, identity: &Identity) -> Access {
        self.listed(name, identity).0
    }

    /// The same, with `securitySchemes` of a tool for a list, as JSON; the tables of others have none.
    #[must_use]
    pub fn listed(&self, name: &str, identity: &Identity) -> (Access, Option<&str>) {
        let found =
            self.entry_of(name).and_then(|entry| Some((entry.needs.as_ref()?, entry.security_schemes.as_deref())));
        let Some((needs, security_schemes)) = found else { return (Access::Denied, None) };
        let checked = match self.names {
            Names::Tools => needs.check_tool(name, identity),
            Names::Prompts | Names::Resources => needs.check(identity),
        };
        let access = match checked {
            Ok(()) => Access::Granted,
            Err(AccessNeeded::Scopes(scopes)) => Access::Obtainable(scopes),
            Err(_) => Access::Denied,
        };
        (access, security_schemes)
    }

    /// Says in `securitySchemes` of tools what `needed` returns of the scopes of their entries: all that a call needs, by the names
    /// by which clients request them. Without, it is the scopes of the entries as they are.
    pub fn write_security_schemes(&mut self, needed: impl Fn(&Scopes) -> Scopes) {
        for entry in &mut self.entries {
            let needs = entry.needs.as_ref().filter(|_| self.names == Names::Tools);
            entry.security_schemes = needs.map(|needs| security_schemes(needed(&needs.scopes).iter()));
        }
    }

    /// What is needed for the tool, prompt or resource of this name; `None` if nobody may use it.
    #[must_use]
    pub fn needs(&self, name: &str) -> Option<&Requirements> {
        self.entry_of(name)?.needs.as_ref()
    }

    /// The entry that counts for this name.
    fn entry_of(&self, name: &str) -> Option<&Entry> {
        let name = match self.names {
            Names::Resources => uri::canonical(name)?,
            Names::Tools | Names::Prompts if is_plain(name) => Cow::Borrowed(name),
            Names::Tools | Names::Prompts => return None,
        };
        let folded = match self.names {
            Names::Resources => uri::folded(&name)?,
            // Bytes of ASCII are compared without case; only other letters need to be folded before.
            Names::Tools | Names::Prompts if name.is_ascii() => Cow::Borrowed(&*name),
            Names::Tools | Names::Prompts => fold(&name),
        };
        let entry = self.entry(&name, &folded)?;
        if self.names == Names::Resources && !self.counts_without_query(entry, &name, &folded) {
            return None;
        }
        Some(entry)
    }

    /// The entry for a canonical name, if it is that for its folded form as well.
    fn entry(&self, name: &str, folded: &str) -> Option<&Entry> {
        let exact = self.most_specific(&|entry| entry.pattern.matches(name, |one, another| one == another))?;
        let alike = self.most_specific(&|entry| entry.folded.matches(folded, <[u8]>::eq_ignore_ascii_case))?;
        std::ptr::eq(exact, alike).then_some(exact)
    }

    /// Whether the entry for a URI also counts for what an upstream finds that drops query and fragment: it is the entry
    /// for that, too; or it is about a query, and no other entry is about what is before it in particular.
    fn counts_without_query(&self, entry: &Entry, name: &str, folded: &str) -> bool {
        let (bare, bare_folded) = (uri::before_query(name), uri::before_query(folded));
        if bare_folded.len() == folded.len() {
            return true;
        }
        // What is cut off first and decoded then is something else than what is decoded first.
        if bare.len() < name.len() && (bare.contains("%3F") || bare.contains("%23")) {
            return false;
        }
        let Some(own) = entry.folded.before_query() else {
            return self.entry(bare, bare_folded).is_some_and(|found| std::ptr::eq(found, entry));
        };
        let matches = |pattern: &Pattern| pattern.matches(bare_folded, <[u8]>::eq_ignore_ascii_case);
        matches(&own) && self.entries.iter().all(|other| !matches(&other.folded) || other.folded.contains(&own))
    }

    /// Whether there is nothing here that anybody may use.
    #[must_use]
    pub fn offers_nothing(&self) -> bool {
        self.entries.iter().all(|entry| entry.needs.is_none())
    }

    /// Whether an entry refuses keys.
    #[must_use]
    pub fn refuses_keys(&self) -> bool {
        self.entries.iter().any(|entry| entry.needs.as_ref().is_some_and(|needs| needs.refuses_keys))
    }

    /// All scopes that an entry names.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let needs = self.entries.iter().filter_map(|entry| entry.needs.as_ref());
        needs.flat_map(|needs| needs.scopes.iter()).collect()
    }

    /// The most specific of the entries that match; none if two are equally so.
    fn most_specific(&self, matches: &dyn Fn(&Entry) -> bool) -> Option<&Entry> {
        let (mut best, mut best_specificity) = (None, None);
        for entry in self.entries.iter().filter(|entry| matches(entry)) {
            // Folded in both cases: so the order of two patterns is the same in both.
            let specificity = Some(entry.folded.specificity());
            if specificity == best_specificity {
                best = None;
            } else if specificity > best_specificity {
                (best, best_specificity) = (Some(entry), specificity);
            }
        }
        best
    }

    /// Collects an error for each two entries that leave open which of them counts.
    fn check(&self, reader: &mut Reader<'_>, setting: &str) {
        for (index, one) in self.entries.iter().enumerate() {
            for another in &self.entries[index + 1..] {
                let names = || [setting, ": ", &one.pattern.text(), " and ", &another.pattern.text()].concat();
                if one.pattern == another.pattern {
                    reader.error(
                        [setting, ": ", &one.pattern.text(), " occurs twice: remove one of the entries"].concat(),
                    );
                } else if one.folded == another.folded {
                    let problem =
                        " may be the same for an upstream that ignores case or decodes URIs: keep one of them";
                    reader.error([&names(), problem].concat());
                } else if let Some(missing) = self.missing(one, another) {
                    let problem = " match the same names, and neither is more specific: change one of them, or add ";
                    reader.error([&names(), problem, &missing].concat());
                }
            }
        }
    }

    /// The entries that would decide about the names which two entries match, if there are none.
    fn missing(&self, one: &Entry, another: &Entry) -> Option<String> {
        let overlap = one.folded.overlap(&another.folded);
        let as_written = one.pattern.overlap(&another.pattern);
        let shown = if as_written.len() == overlap.len() { &as_written } else { &overlap };
        let is_missing = |folded: &Pattern| !self.entries.iter().any(|entry| entry.folded == *folded);
        let missing = overlap.iter().zip(shown).filter(|(folded, _)| is_missing(folded));
        let missing: Vec<String> = missing.map(|(_, shown)| [&shown.text(), "=…"].concat()).collect();
        if missing.is_empty() { None } else { Some(missing.join(" and ")) }
    }
}

impl Entry {
    fn parse(entry: &str, names: Names) -> Result<Self, Cow<'static, str>> {
        let form = "must have the form pattern=need,need, such as search_*=docs:read, *=allow or *=deny";
        let (pattern, needs) = entry.rsplit_once('=').filter(|(pattern, _)| !pattern.is_empty()).ok_or(form)?;
        let pattern = match names {
            Names::Resources => uri::canonical_pattern(pattern)?,
            Names::Tools | Names::Prompts => Cow::Borrowed(pattern),
        };
        let pattern = Pattern::new(&pattern).ok_or("has more than one *: a pattern has one at most")?;
        let folded = pattern.map(&|part| match names {
            Names::Resources => uri::folded(part).map(|part| part.to_ascii_lowercase()),
            Names::Tools | Names::Prompts => Some(fold(part).into_owned()),
        });
        let folded = folded.ok_or("must have percent-encoded UTF-8 with whole characters on each side of the *")?;
        Ok(Self { pattern, folded, needs: needs::parse(needs)?, security_schemes: None })
    }
}

/// Whether a name is text that every reader takes for the same: some cut off what is white space or a control character.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.trim().len() == name.len() && !name.bytes().any(|byte| byte.is_ascii_control())
}

#[cfg(test)]
mod tests;
