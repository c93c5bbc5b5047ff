//! The syntax of `.dev.vars`, which is that of dotenv.

/// Reads the assignments, in order. Lines that are none are left out, as dotenv does.
#[must_use]
pub fn parse(text: &str) -> Vec<(String, String)> {
    let text = text.replace("\r\n", "\n");
    let mut assignments = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = after;
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
            continue;
        }
        let value = value.trim_start();
        let value = match value.chars().next().filter(|first| ['"', '\'', '`'].contains(first)) {
            Some(quote) => quoted(value, quote, &mut rest),
            None => None,
        }
        .unwrap_or_else(|| value.split('#').next().unwrap_or_default().trim().to_owned());
        assignments.push((name.to_owned(), value));
    }
    assignments
}

/// The text between quotes, which may go on over the next lines. Only `"` knows `\n` and `\r`. `None` without a second
/// quote.
fn quoted(value: &str, quote: char, rest: &mut &str) -> Option<String> {
    let begun = &value[quote.len_utf8()..];
    let text = if let Some((inner, _)) = begun.split_once(quote) {
        inner.to_owned()
    } else {
        let (continued, after) = rest.split_once(quote)?;
        let text = format!("{begun}\n{continued}");
        *rest = after.split_once('\n').map_or("", |(_, next)| next);
        text
    };
    Some(if quote == '"' { text.replace("\\n", "\n").replace("\\r", "\r") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_quoted_and_commented() {
        let text = "# a comment\nA=1\n B = two words \nC=\"x # y\" # z\nexport D='\\n\"'\nE=\"a\\nb\"\nF=a#b\nG=\nH=\"open\nno assignment\n";
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "x # y"),
            ("D", "\\n\""),
            ("E", "a\nb"),
            ("F", "a"),
            ("G", ""),
            ("H", "\"open"),
        ];
        assert_eq!(parse(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn quoted_values_go_on_over_lines() {
        let text = "A='[\r\n  {}\n]' # end\nB=2\r\n";
        assert_eq!(parse(text), [("A".to_owned(), "[\n  {}\n]".to_owned()), ("B".to_owned(), "2".to_owned())]);
    }
}
