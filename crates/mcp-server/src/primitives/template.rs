//! URI templates of RFC 6570 level 1: literals and `{variable}`, matched backwards from URI to values.
//!
//! Simple expansion percent-encodes everything but unreserved characters, so a variable matches one or more
//! unreserved characters and escapes, and never a `/`. Where a URI can be divided in several ways, earlier variables
//! get as little as possible.

/// A template that can be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    /// The literal before the first variable.
    start: String,
    /// Each variable, with the literal that follows it.
    parts: Vec<(String, String)>,
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its counterpart.
    #[error("unbalanced braces")]
    Braces,
    /// No variable: that is a resource, not a template.
    #[error("no variable")]
    NoVariable,
    /// An operator or modifier of a higher level than 1, or an empty name.
    #[error("{{{0}}} is not a variable of RFC 6570 level 1")]
    LoggingLevel(String),
    /// The same name twice.
    #[error("variable {0} occurs twice")]
    Twice(String),
    /// Two variables with nothing between: no URI tells where one ends.
    #[error("nothing separates {0} from the variable after it")]
    Adjacent(String),
    /// A completion for a variable that does not occur.
    #[error("there is no variable {0} to complete")]
    NoSuchVariable(String),
}

impl Template {
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        let mut pieces = template.split('{');
        let start = pieces.next().unwrap_or_default().to_owned();
        let mut parts: Vec<(String, String)> = Vec::new();
        for piece in pieces {
            let (name, literal) = piece.split_once('}').ok_or(TemplateError::Braces)?;
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
            {
                return Err(TemplateError::LoggingLevel(name.to_owned()));
            }
            if parts.iter().any(|(known, _)| known == name) {
                return Err(TemplateError::Twice(name.to_owned()));
            }
            if let Some((before, _)) = parts.last().filter(|(_, literal)| literal.is_empty()) {
                return Err(TemplateError::Adjacent(before.clone()));
            }
            parts.push((name.to_owned(), literal.to_owned()));
        }
        if start.contains('}') || parts.iter().any(|(_, literal)| literal.contains('}')) {
            return Err(TemplateError::Braces);
        }
        if parts.is_empty() { Err(TemplateError::NoVariable) } else { Ok(Self { start, parts }) }
    }

    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(name, _)| name.as_str())
    }

    /// The values of the variables in `uri`, decoded; `None` if it does not match.
    pub fn matches<'t>(&'t self, uri: &str) -> Option<Vec<(&'t str, String)>> {
        let mut rest = uri.strip_prefix(self.start.as_str())?;
        let mut values = Vec::with_capacity(self.parts.len());
        for (index, (name, literal)) in self.parts.iter().enumerate() {
            let last = index + 1 == self.parts.len();
            let (value, after) = if last {
                (rest.strip_suffix(literal.as_str())?, "")
            } else {
                // A value has at least one character, so the literal starts at the second, at the earliest.
                let first = rest.chars().next()?.len_utf8();
                let at = rest.get(first..)?.find(literal.as_str())? + first;
                (rest.get(..at)?, rest.get(at + literal.len()..)?)
            };
            values.push((name.as_str(), decode(value)?));
            rest = after;
        }
        Some(values)
    }
}

/// Undoes simple expansion: unreserved characters stand for themselves, escapes for the bytes of UTF-8 text.
fn decode(value: &str) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => bytes.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matched(template: &str, uri: &str) -> Option<Vec<String>> {
        let template = Template::parse(template).unwrap_or_else(|error| panic!("{template}: {error}"));
        Some(template.matches(uri)?.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn values_are_found_and_decoded() {
        for (template, uri, expected) in [
            ("test://template/{id}/data", "test://template/123/data", Some(vec!["123"])),
            ("note://{folder}/{id}", "note://a%2Fb/%C3%A4", Some(vec!["a/b", "ä"])),
            ("x:{a}-{b}", "x:1-2-3", Some(vec!["1", "2-3"])),
            ("x:{a}ab", "x:aabab", Some(vec!["aab"])),
            ("x:{a}.{b}.md", "x:.a.b.md", Some(vec![".a", "b"])),
            ("x:{a}", "x:", None),
            ("x:{a}", "x:a/b", None),
            ("x:{a}", "x:a b", None),
            ("x:{a}", "x:%zz", None),
            ("x:{a}", "x:%f", None),
            ("x:{a}", "x:%ff", None),
            ("x:{a}", "x:ä", None),
            ("x:{a}/y", "x:1/z", None),
        ] {
            let expected = expected.map(|values| values.into_iter().map(str::to_owned).collect());
            assert_eq!(matched(template, uri), expected, "{template} {uri}");
        }
    }

    #[test]
    fn templates_beyond_level_1_are_refused() {
        for (template, error) in [
            ("x:{+a}", TemplateError::LoggingLevel("+a".into())),
            ("x:{a,b}", TemplateError::LoggingLevel("a,b".into())),
            ("x:{a*}", TemplateError::LoggingLevel("a*".into())),
            ("x:{}", TemplateError::LoggingLevel(String::new())),
            ("x:{a", TemplateError::Braces),
            ("x:a}", TemplateError::Braces),
            ("x:{a}{b}", TemplateError::Adjacent("a".into())),
            ("x:{a}/{a}", TemplateError::Twice("a".into())),
            ("x:a", TemplateError::NoVariable),
        ] {
            assert_eq!(Template::parse(template), Err(error), "{template}");
        }
    }

    proptest! {
        #[test]
        fn no_template_and_no_uri_panics(template in "[a-c{}/%ä]{0,12}", uri in "[a-c/%ä0-9]{0,16}") {
            if let Ok(template) = Template::parse(&template) {
                let _ = template.matches(&uri);
            }
        }
    }
}
