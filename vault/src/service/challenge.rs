//! The parameter `resource_metadata` of a challenge (RFC 9728 §5.1).

/// The longest value that is read.
const MAX_BYTES: usize = 2_048;

/// The URL of the protected resource metadata that a header `WWW-Authenticate` names; `None` if it names none, or more than
/// one.
#[must_use]
pub fn resource_metadata(header: &str) -> Option<String> {
    let mut found = None;
    let mut rest = header;
    while let Some((name, after)) = next_parameter(&mut rest) {
        if name.eq_ignore_ascii_case("resource_metadata") && found.replace(after).is_some() {
            return None;
        }
    }
    found.filter(|url| !url.is_empty() && url.len() <= MAX_BYTES)
}

/// Takes the next `name=value` (RFC 9110 §11.2) from the start of `rest`. Schemes and `token68` values are passed over; inside
/// of a quoted string nothing is a parameter.
fn next_parameter<'a>(rest: &mut &'a str) -> Option<(&'a str, String)> {
    loop {
        let start = rest.find(|character| is_token(character) || character == '"')?;
        let text = &rest[start..];
        if let Some(quoted) = text.strip_prefix('"') {
            // No parameter: what is in it is text.
            *rest = unquote(quoted).1;
            continue;
        }
        let end = text.find(|character| !is_token(character)).unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            // A scheme.
            *rest = after;
            continue;
        };
        let value = value.trim_start();
        let (value, after) = if let Some(quoted) = value.strip_prefix('"') {
            unquote(quoted)
        } else {
            let end = value.find([',', ' ', '\t']).unwrap_or(value.len());
            (value[..end].to_owned(), &value[end..])
        };
        *rest = after;
        return Some((name, value));
    }
}

/// A quoted string after its first quotation mark, and what follows it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    // Without its end it is none.
    (String::new(), "")
}

/// RFC 9110 §5.6.2.
fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::resource_metadata;

    #[test]
    fn the_parameter_is_found_in_challenges_of_any_form() {
        for header in [
            r#"Bearer resource_metadata="https://r.example/m""#,
            r#"Bearer realm="x", resource_metadata="https://r.example/m", scope="a b""#,
            r#"bearer error="invalid_token", error_description="resource_metadata=\"no\", not this", Resource_Metadata = "https://r.example/m""#,
            "Bearer resource_metadata=https://r.example/m, scope=a",
            r#"Basic realm="x", Bearer resource_metadata="https://r.example/m""#,
            r#"Negotiate abc==, DPoP algs="ES256", resource_metadata="https://r.example\/m""#,
        ] {
            assert_eq!(resource_metadata(header).as_deref(), Some("https://r.example/m"), "{header}");
        }
    }

    #[test]
    fn what_is_none_is_not_found() {
        let long = format!(r#"Bearer resource_metadata="https://r.example/{}""#, "x".repeat(2_048));
        for header in [
            "",
            "Bearer",
            "Bearer realm=\"x\"",
            r#"Bearer error_description="resource_metadata=https://evil.example/m""#,
            r#"Bearer resource_metadata="https://r.example/m"#,
            r#"Bearer resource_metadata="""#,
            r#"Bearer resource_metadata="https://a.example", resource_metadata="https://b.example""#,
            r#"Bearer xresource_metadata="https://evil.example/m""#,
            "\"resource_metadata=https://evil.example",
            "= = \" \\",
            &long,
        ] {
            assert_eq!(resource_metadata(header), None, "{header}");
        }
    }
}
