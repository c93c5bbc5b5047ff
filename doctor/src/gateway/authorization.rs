//! The operator's credentials for the upstream: the value of an `Authorization` header, which is never shown.

use std::fmt;

/// The environment variable that holds the credentials. There is no option for them: other users of a machine see its
/// command lines.
pub const AUTHORIZATION_VARIABLE: &str = "MCP_EDGE_DOCTOR_UPSTREAM_AUTHORIZATION";

/// The value of an `Authorization` header. Its `Debug` output hides the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization(String);

/// Why a string is no value of an `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// A character that no header value has (RFC 9110 §5.5).
    #[error("{AUTHORIZATION_VARIABLE} must be the whole value of the Authorization header, in visible ASCII")]
    Characters,
    /// There is a scheme without credentials, or credentials without a scheme (RFC 9110 §11.4).
    #[error("{AUTHORIZATION_VARIABLE} must be the whole value of the Authorization header, for example Bearer abc")]
    NoScheme,
}

impl Authorization {
    /// Creates credentials. Surrounding white space is removed.
    ///
    /// # Errors
    /// [`AuthorizationError`] if the string is no value of an `Authorization` header.
    pub fn new(text: &str) -> Result<Self, AuthorizationError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(AuthorizationError::Characters);
        }
        if text.split_once(' ').is_none() {
            return Err(AuthorizationError::NoScheme);
        }
        Ok(Self(text.to_owned()))
    }

    /// The value of the header.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part after the scheme, which no report may show.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.0.split_once(' ').map_or(self.0.as_str(), |(_, secret)| secret.trim_start())
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_have_a_scheme_and_are_never_printed() {
        let it = Authorization::new(" Bearer  abc\n").unwrap();
        assert_eq!((it.expose(), it.secret()), ("Bearer  abc", "abc"));
        assert_eq!(format!("{it:?}"), "Authorization(…)");
        assert_eq!(Authorization::new("abc"), Err(AuthorizationError::NoScheme));
        assert_eq!(Authorization::new("Bearer "), Err(AuthorizationError::NoScheme));
        assert_eq!(Authorization::new("Bearer a\nb"), Err(AuthorizationError::Characters));
        assert_eq!(Authorization::new("Bearer é"), Err(AuthorizationError::Characters));
    }
}
