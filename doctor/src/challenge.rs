//! `WWW-Authenticate` challenges (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1): parsing as clients do it.
//!
//! The doctor has its own parser, because a parser shared with mcp-edge would share its errors.

/// A challenge with the scheme `Bearer`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Challenge {
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    name: String,
    value: String,
    is_quoted: bool,
}

/// Why clients cannot use a `WWW-Authenticate` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// The first scheme is not `Bearer`.
    #[error("it does not begin with the word Bearer")]
    NotBearer,
    /// `Bearer` without parameters.
    #[error("it has no parameters")]
    NoParameters,
    /// A parameter is not `name=value`, a quoted string does not end, or parameters are not separated by commas.
    #[error("its parameters cannot be parsed")]
    Malformed,
    /// A parameter occurs twice.
    #[error("a parameter occurs twice")]
    Repeated,
}

impl Challenge {
    /// Parses the value of a `WWW-Authenticate` header whose first challenge is `Bearer`. Further challenges are
    /// ignored, as clients do.
    ///
    /// # Errors
    /// [`ChallengeError`] if clients cannot use the challenge.
    pub fn parse(value: &str) -> Result<Self, ChallengeError> {
        let value = value.trim();
        let (scheme, mut rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ChallengeError::NotBearer);
        }
        let mut parameters: Vec<Parameter> = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let (name, after) = token(rest).ok_or(ChallengeError::Malformed)?;
            let after = after.trim_start_matches([' ', '\t']);
            let Some(after) = after.strip_prefix('=') else {
                // A token without `=` begins the next challenge.
                if parameters.is_empty() {
                    return Err(ChallengeError::Malformed);
                }
                break;
            };
            let after = after.trim_start_matches([' ', '\t']);
            let (value, is_quoted, after) = match after.strip_prefix('"') {
                Some(after) => quoted(after).map(|(value, rest)| (value, true, rest)),
                None => token(after).map(|(value, rest)| (value.to_owned(), false, rest)),
            }
            .ok_or(ChallengeError::Malformed)?;
            rest = after.trim_start_matches([' ', '\t']);
            if !rest.is_empty() && !rest.starts_with(',') {
                return Err(ChallengeError::Malformed);
            }
            let name = name.to_ascii_lowercase();
            if parameters.iter().any(|it| it.name == name) {
                return Err(ChallengeError::Repeated);
            }
            parameters.push(Parameter { name, value, is_quoted });
        }
        if parameters.is_empty() { Err(ChallengeError::NoParameters) } else { Ok(Self { parameters }) }
    }

    /// The value of a parameter; `name` in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|it| it.name == name).map(|it| it.value.as_str())
    }

    /// The names of unquoted parameters. Some clients find quoted ones only.
    pub fn unquoted(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().filter(|it| !it.is_quoted).map(|it| it.name.as_str())
    }
}

/// Splits off a `token` (RFC 9110 §5.6.2). Accepts slashes, colons and question marks too: unquoted URLs are a common
/// error, and the report should show the intended URL.
fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/?".contains(&byte);
    let end = text.bytes().position(|byte| !is_token(byte)).unwrap_or(text.len());
    if end == 0 { None } else { Some(text.split_at(end)) }
}

/// Splits off the rest of a `quoted-string` (RFC 9110 §5.6.4) after its opening quote, unescaped.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_with_and_without_quotes() {
        let it =
            Challenge::parse(r#"Bearer resource_metadata="https://h/x", Scope="a b", error=invalid_token"#).unwrap();
        assert_eq!(it.get("resource_metadata"), Some("https://h/x"));
        assert_eq!(it.get("scope"), Some("a b"));
        assert_eq!(it.unquoted().collect::<Vec<_>>(), ["error"]);
        assert_eq!(it.get("realm"), None);
    }

    #[test]
    fn an_unquoted_url_is_read_and_reported_as_unquoted() {
        let it = Challenge::parse("Bearer resource_metadata=https://h/x").unwrap();
        assert_eq!(it.get("resource_metadata"), Some("https://h/x"));
        assert_eq!(it.unquoted().count(), 1);
    }

    #[test]
    fn a_second_challenge_is_ignored() {
        let it = Challenge::parse(r#"Bearer realm="x", DPoP algs="ES256""#).unwrap();
        assert_eq!((it.get("realm"), it.get("algs")), (Some("x"), None));
    }

    #[test]
    fn what_clients_cannot_use_is_rejected_with_the_reason() {
        for (header, error) in [
            (r#"DPoP algs="ES256", Bearer realm="x""#, ChallengeError::NotBearer),
            ("", ChallengeError::NotBearer),
            ("Bearer", ChallengeError::NoParameters),
            ("Bearer  ", ChallengeError::NoParameters),
            (r#"Bearer error_description="Expected "Bearer <token>"", error="x""#, ChallengeError::Malformed),
            (r#"Bearer realm="x"#, ChallengeError::Malformed),
            ("Bearer some.token", ChallengeError::Malformed),
            (r#"Bearer scope="a", scope="b""#, ChallengeError::Repeated),
        ] {
            assert_eq!(Challenge::parse(header), Err(error), "{header}");
        }
    }
}
