//! Names of connections.

const MAX_LENGTH: usize = 32;

/// Whether a text can be the name of a connection: a lower-case letter, then up to 31 lower-case letters, digits and `-`.
#[must_use]
pub fn is_connection_name(name: &str) -> bool {
    name.len() <= MAX_LENGTH
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_in_lower_case() {
        for name in ["g", "github", "my-api-2", &"a".repeat(32)] {
            assert!(is_connection_name(name), "{name}");
        }
        for name in ["", "GitHub", "2fa", "-x", "my_api", "my api", "ä", "a/b", &"a".repeat(33)] {
            assert!(!is_connection_name(name), "{name}");
        }
    }
}
