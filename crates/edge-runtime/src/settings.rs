//! Settings: reads named strings, checks them, and collects every error, so that an operator can fix all at once.

use crate::{
    secret::Secret,
    uri::{has_plain_authority, is_https_or_loopback, split_origin},
};

/// Issuers are part of a key in the store, which may have 512 bytes.
pub const MAX_URL_BYTES: usize = 400;

/// What is wrong with the settings: one sentence for each error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub Vec<String>);

impl std::fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the settings are wrong, no request will be let through:")?;
        self.0.iter().try_for_each(|error| write!(formatter, "\n- {error}"))
    }
}

impl std::error::Error for SettingsError {}

/// Reads settings one by one and collects the errors.
pub struct Reader<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    errors: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Creates a reader of the settings that `get` returns by their names.
    #[must_use]
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get, errors: Vec::new() }
    }

    /// Returns what was read, unless there was an error.
    ///
    /// # Errors
    /// Every error that was collected.
    pub fn finish<T>(self, read: T) -> Result<T, SettingsError> {
        if self.errors.is_empty() { Ok(read) } else { Err(SettingsError(self.errors)) }
    }

    /// The value, without surrounding white space; `None` if it is not set or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        (self.get)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The value of a secret; `None` if it is not set or empty.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    /// The value, split on white space.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<String> {
        words(&self.text(name).unwrap_or_default())
    }

    /// Collects an error: one sentence that begins with the setting's name and says how to fix it.
    pub fn error(&mut self, error: impl Into<String>) {
        self.errors.push(error.into());
    }

    /// Collects the error that the value of a setting is wrong; `problem` is the end of the sentence.
    pub fn wrong_value(&mut self, name: &str, value: &str, problem: &str) {
        self.error(format!("{name} = {value:?} {problem}"));
    }

    /// The same of one entry of a list.
    pub fn wrong_entry(&mut self, name: &str, entry: &str, problem: &str) {
        self.error(format!("{name}: {entry:?} {problem}"));
    }

    /// An https URL (or plain http on loopback) without query and fragment.
    pub fn url(&mut self, name: &str) -> Option<String> {
        let url = self.text(name)?;
        match check_url(&url) {
            Ok(()) => Some(url),
            Err(problem) => {
                self.wrong_value(name, &url, &problem);
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.text(name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(other) => {
                self.wrong_value(name, other, "must be \"true\" or \"false\"");
                default
            }
        }
    }
}

/// The words of a list that is separated by white space.
#[must_use]
pub fn words(list: &str) -> Vec<String> {
    list.split_ascii_whitespace().map(str::to_owned).collect()
}

/// Checks that a URL can stand in a header, in metadata and in a store's key: https (or plain http on loopback), visible
/// ASCII, without query, fragment and user information.
///
/// # Errors
/// What it must be instead, as the end of a sentence.
pub fn check_url(url: &str) -> Result<(), String> {
    let problem = if !is_https_or_loopback(url) {
        "must begin with https:// (plain http is accepted for localhost, 127.0.0.1 and [::1] only)"
    } else if url.contains(['?', '#']) {
        "must have neither query nor fragment"
    } else if !url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'<' | b'>')) {
        "must consist of visible ASCII without quotes and backslashes"
    } else if url.len() > MAX_URL_BYTES {
        return Err(format!("is longer than {MAX_URL_BYTES} characters"));
    } else if !has_plain_authority(url) {
        "must have a host name or address and, if any, a port between 1 and 65535"
    } else {
        return Ok(());
    };
    Err(problem.to_owned())
}

/// Why a URL parser would change the URL, if it would; the end of a sentence.
#[must_use]
pub fn not_normalized(url: &str) -> Option<&'static str> {
    let (origin, path) = split_origin(url);
    let authority = &origin[origin.find("://").map_or(0, |at| at + 3)..];
    let is_default_port = (url.starts_with("https:") && authority.ends_with(":443"))
        || (url.starts_with("http:") && authority.ends_with(":80"));
    let port = authority.rsplit(':').next().unwrap_or_default();
    let is_dots = |segment: &str| {
        [".", "..", "%2e", ".%2e", "%2e.", "%2e%2e"].iter().any(|dots| segment.eq_ignore_ascii_case(dots))
    };
    match () {
        () if authority.bytes().any(|byte| byte.is_ascii_uppercase()) => Some("must have its host in lower case"),
        () if is_default_port => Some("must not name the default port"),
        () if port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some("must have a port without leading zeros")
        }
        () if path.split('/').any(is_dots) => Some("must not have dot segments"),
        () if path.contains(['^', '`', '{', '}']) => Some("must have ^ ` { } percent-encoded"),
        () => None,
    }
}
