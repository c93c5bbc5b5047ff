//! The YAML at the beginning of a `SKILL.md`, as JSON.
//!
//! A host compares what it reads of the file with what the server says of it, and does not load the skill if the two differ
//! (MCP Skills, "Frontmatter Verification"). Hosts have parsers of YAML 1.1 and of 1.2, some for a part of it only. So what
//! these read differently is an error here, and so are the parts of YAML that some of them refuse.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use super::error::SkillError;

/// The largest integer that every reader of JSON takes exactly.
const MAX_INTEGER: u64 = 1 << 53;

/// Reads the front matter.
///
/// # Errors
/// [`SkillError`] if there is none, or if it is no mapping that all hosts read alike. Lines are those of the file.
pub fn read(manifest: &str) -> Result<Map<String, Value>, SkillError> {
    let yaml = cut(manifest)?;
    let mut reader = Reader { parser: Parser::new_from_str(yaml) };
    match reader.document()? {
        Some(Value::Object(fields)) => Ok(fields),
        // An empty one lacks what it must have, which says more than that it is no mapping.
        None => Ok(Map::new()),
        Some(_) => Err(SkillError::NoMapping),
    }
}

/// The text between the lines `---`.
fn cut(manifest: &str) -> Result<&str, SkillError> {
    let (first, rest) = manifest.split_once('\n').ok_or(SkillError::NoFrontMatter)?;
    if first.trim_end_matches('\r') != "---" {
        return Err(SkillError::NoFrontMatter);
    }
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end_matches(['\r', '\n']) == "---" {
            return Ok(&rest[..end]);
        }
        end += line.len();
    }
    Err(SkillError::Unclosed)
}

/// Makes values of events.
struct Reader<'y> {
    parser: Parser<'y, saphyr_parser::StrInput<'y>>,
}

impl<'y> Reader<'y> {
    /// The next event that says something, with the line of the file on which it begins.
    fn next(&mut self) -> Result<(Event<'y>, Span), SkillError> {
        match self.parser.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                Err(SkillError::Yaml { line: line_of_file(error.marker().line()), problem: error.info().to_owned() })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The one document, if there is anything in it.
    fn document(&mut self) -> Result<Option<Value>, SkillError> {
        let mut value = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(value),
                (Event::StreamStart | Event::DocumentEnd | Event::Nothing, _) => {}
                (Event::DocumentStart(_), span) if value.is_some() => {
                    return Err(SkillError::Unsupported { line: line(&span), what: "several documents" });
                }
                (Event::DocumentStart(_), _) => {
                    let (event, span) = self.next()?;
                    value = Some(self.value(event, &span)?);
                }
                (_, span) => return Err(SkillError::Yaml { line: line(&span), problem: "unexpected".to_owned() }),
            }
        }
    }

    /// The value that begins with this event.
    fn value(&mut self, event: Event<'y>, span: &Span) -> Result<Value, SkillError> {
        let unsupported = |what| Err(SkillError::Unsupported { line: line(span), what });
        match event {
            Event::Alias(_) => unsupported("aliases"),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                unsupported("anchors")
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                unsupported("tags")
            }
            Event::Scalar(text, style, ..) => scalar(&text, style, span),
            Event::SequenceStart(..) => self.sequence(),
            Event::MappingStart(..) => self.mapping(),
            _ => Err(SkillError::Yaml { line: line(span), problem: "a value is missing".to_owned() }),
        }
    }

    fn sequence(&mut self) -> Result<Value, SkillError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.value(event, &span)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, SkillError> {
        let mut members = Map::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Object(members));
            }
            let Value::String(key) = self.value(event, &span)? else {
                return Err(SkillError::Unsupported { line: line(&span), what: "keys that are no text" });
            };
            let (event, at) = self.next()?;
            let value = self.value(event, &at)?;
            if members.contains_key(&key) {
                return Err(SkillError::DuplicateKey { line: line(&span), key });
            }
            members.insert(key, value);
        }
    }
}

/// The first line of the file is `---`, so the first one of the YAML is its second.
fn line_of_file(line: usize) -> usize {
    line + 1
}

fn line(span: &Span) -> usize {
    line_of_file(span.start.line())
}

fn scalar(text: &str, style: ScalarStyle, span: &Span) -> Result<Value, SkillError> {
    match style {
        ScalarStyle::Plain => {
            plain(text).ok_or_else(|| SkillError::Ambiguous { line: line(span), value: text.to_owned() })
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if span.start.line() != span.end.line() => {
            Err(SkillError::Unsupported { line: line(span), what: "quoted text on several lines" })
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

/// What some version of YAML, in some spelling, takes for something else than text.
const WORDS: [&str; 15] =
    ["null", "true", "false", "y", "n", "yes", "no", "on", "off", "=", "<<", ".inf", "+.inf", "-.inf", ".nan"];

/// What a scalar without quotes is, if YAML 1.1 and 1.2 agree.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" => return Some(Value::Null),
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) {
        return None;
    }
    if let Some(number) = decimal(text) {
        return Some(Value::Number(number));
    }
    if is_like_number(&lower) || is_like_date(text) { None } else { Some(Value::String(text.to_owned())) }
}

/// A number that is one in all versions of YAML and in JSON, and the same in each.
fn decimal(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    match fraction {
        None => text.parse::<i64>().ok().filter(|number| number.unsigned_abs() <= MAX_INTEGER).map(Number::from),
        Some(fraction) if are_digits(fraction) => Number::from_f64(text.parse().ok()?),
        Some(_) => None,
    }
}

/// Whether some version of YAML reads a number, in lower case, that is none of [`decimal`]: with a sign, an exponent, another
/// base, `_` between the digits, or in base 60 (`1:30`).
fn is_like_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.trim_start_matches('.').starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let plain = unsigned.replace('_', "");
    let of_base = |prefix: &str, base| {
        plain.strip_prefix(prefix).is_some_and(|digits| u128::from_str_radix(digits, base).is_ok())
    };
    let in_base_60 = plain.contains(':') && plain.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte));
    plain.parse::<f64>().is_ok() || of_base("0x", 16) || of_base("0o", 8) || of_base("0b", 2) || in_base_60
}

/// Whether YAML 1.1 reads a date: `2026-11-27`, with or without a time.
fn is_like_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut has_digits = |lengths: std::ops::RangeInclusive<usize>, is_last: bool| {
        let part = parts.next().unwrap_or_default();
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        lengths.contains(&digits) && (is_last || digits == part.len())
    };
    has_digits(4..=4, false) && has_digits(1..=2, false) && has_digits(1..=2, true)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(yaml: &str) -> Result<Value, SkillError> {
        read(&format!("---\n{yaml}\n---\n\n# Text\n")).map(Value::Object)
    }

    #[test]
    fn all_that_was_written_is_read() {
        let yaml = "name: a-b\n# A comment.\ndescription: >-\n  Two\n  lines.\nlicense: 'It''s'\ncompatibility: \"tab\\t\"\n\
                    metadata:\n  version: 2.1.0\n  list: [a, 1]\nother:\n- x: 1\n  z: -2.50\n- null\n- true\n- |\n  kept\n";
        assert_eq!(
            of(yaml),
            Ok(json!({
                "name": "a-b", "description": "Two lines.", "license": "It's", "compatibility": "tab\t",
                "metadata": {"version": "2.1.0", "list": ["a", 1]},
                "other": [{"x": 1, "z": -2.5}, null, true, "kept\n"],
            }))
        );
        assert_eq!(of(""), Ok(json!({})));
        assert_eq!(of("# Nothing."), Ok(json!({})));
    }

    #[test]
    fn line_ends_do_not_matter() {
        assert_eq!(read("---\r\nname: a\r\n---\r\nx").map(Value::Object), Ok(json!({"name": "a"})));
        assert_eq!(read("---\nname: a\n---").map(Value::Object), Ok(json!({"name": "a"})));
        // A line in the instructions ends nothing.
        assert_eq!(read("---\nname: a\n---\ntext\n---\n").map(Value::Object), Ok(json!({"name": "a"})));
    }

    #[test]
    fn the_front_matter_stands_between_two_lines() {
        for text in ["", "---", "name: a\n---\n", "\u{feff}---\nname: a\n---\n", " ---\nname: a\n---\n", "----\n---\n"]
        {
            assert_eq!(read(text), Err(SkillError::NoFrontMatter), "{text:?}");
        }
        for text in ["---\n", "---\nname: a\n", "---\nname: a\n ---\n", "---\nname: a\n----\n", "---\nname: a\n--- \n"]
        {
            assert_eq!(read(text), Err(SkillError::Unclosed), "{text:?}");
        }
        for yaml in ["text", "- a", "\"a\""] {
            assert_eq!(of(yaml), Err(SkillError::NoMapping), "{yaml}");
        }
    }

    #[test]
    fn what_readers_of_yaml_take_for_different_things_is_refused() {
        for value in [
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "True",
            "NULL",
            "012",
            "0x1F",
            "0o7",
            "0b1",
            "1_000",
            "+1",
            "1e3",
            ".5",
            "1.",
            "-.5e-1",
            ".inf",
            "-.INF",
            ".NaN",
            "1:30",
            "1:2:3",
            "08",
            "1__",
            "1.e3",
            "2001-12-14t21:59:43.10-05:00",
            "190:20:30.15",
            "2026-11-27",
            "2026-1-2 10:00:00",
            "<<",
            "=",
            "9007199254740993",
            "0123456789012345678901234567890123456789",
        ] {
            let expected = SkillError::Ambiguous { line: 3, value: value.to_owned() };
            assert_eq!(of(&format!("name: a\nx: {value}")), Err(expected));
            // Quotes make it text.
            assert_eq!(of(&format!("x: \"{value}\"")), Ok(json!({"x": value})));
        }
        assert_eq!(of("on: 1"), Err(SkillError::Ambiguous { line: 2, value: "on".to_owned() }));
    }

    #[test]
    fn what_looks_a_little_like_it_is_text() {
        for value in
            ["2.1.0", "1.0-beta", "v1", "nope", "yes please", "1 apple", "2026-11", "10-20", "http://x", "1e", "0xg"]
        {
            assert_eq!(of(&format!("x: {value}")), Ok(json!({"x": value})), "{value}");
        }
        for (value, number) in
            [("0", json!(0)), ("-7", json!(-7)), ("1.50", json!(1.5)), ("9007199254740992", json!(1_u64 << 53))]
        {
            assert_eq!(of(&format!("x: {value}")), Ok(json!({"x": number})));
        }
    }

    #[test]
    fn what_some_hosts_cannot_read_is_refused_with_its_line() {
        for (yaml, what) in [
            ("x: 1\nz: &a text", "anchors"),
            ("x: 1\nz: !!str text", "tags"),
            ("x: 1\nz: !own [a]", "tags"),
            ("x: 1\n1: text", "keys that are no text"),
            ("x: 1\n? [a]\n: text", "keys that are no text"),
            ("x: 1\nz: \"a\n  b\"", "quoted text on several lines"),
        ] {
            assert_eq!(of(yaml), Err(SkillError::Unsupported { line: 3, what }), "{yaml}");
        }
        assert_eq!(of("x: &a 1\nz: *a"), Err(SkillError::Unsupported { line: 2, what: "anchors" }));
        assert_eq!(of("x: 1\n--- a"), Err(SkillError::Unsupported { line: 3, what: "several documents" }));
        assert_eq!(of("x: 1\nx: 2"), Err(SkillError::DuplicateKey { line: 3, key: "x".to_owned() }));
    }

    #[test]
    fn invalid_yaml_is_refused_with_its_line() {
        for yaml in ["x: 1\nz: [a", "x: 1\nz: a: b", "x: 1\nz: \"a", "x: 1\nz: @a"] {
            assert!(matches!(of(yaml), Err(SkillError::Yaml { line: 3.., .. })), "{yaml}: {:?}", of(yaml));
        }
    }
}
