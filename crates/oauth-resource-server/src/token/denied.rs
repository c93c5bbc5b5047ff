//! Tokens that the operator denies in an emergency: those under certain keys, or issued before a certain time, although
//! the provider still vouches for them. For the time between a theft and its fix at the provider.

use crate::denial::{Denial, Excerpt, KeyIdentifier};
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, crypto::Thumbprint};

/// The tokens that are refused although every other check passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeniedTokens {
    /// Keys by their `kid`, or by their SHA-256 thumbprint (RFC 7638) in base64url without padding.
    pub keys: Vec<String>,
    /// Tokens with an `iat` before this are refused, in seconds since 1970; 0 refuses none.
    pub issued_before: u64,
}

impl DeniedTokens {
    /// Refuses a token by the `kid` that it names, before anything is fetched on its account.
    ///
    /// # Errors
    /// [`Denial::KeyDenied`].
    pub fn check_kid(&self, kid: Option<&str>) -> Result<(), Denial> {
        kid.map_or(Ok(()), |kid| self.check(KeyIdentifier::Kid, kid))
    }

    /// Refuses a token by the key that verifies it, regardless of what the token calls it.
    ///
    /// # Errors
    /// [`Denial::KeyDenied`].
    pub fn check_key(&self, kid: Option<&str>, thumbprint: &Thumbprint) -> Result<(), Denial> {
        if self.keys.is_empty() {
            return Ok(());
        }
        self.check_kid(kid)?;
        self.check(KeyIdentifier::Thumbprint, &URL_SAFE_NO_PAD.encode(thumbprint))
    }

    fn check(&self, identifier: KeyIdentifier, value: &str) -> Result<(), Denial> {
        if self.keys.iter().any(|denied| denied == value) {
            return Err(Denial::KeyDenied { identifier, value: Excerpt::new(value) });
        }
        Ok(())
    }

    /// Refuses a token by the time of its issue. A JWT without it may be older than the cutoff.
    ///
    /// # Errors
    /// [`Denial::IssuedBeforeCutoff`].
    pub fn check_issue_time(&self, issued_at: Option<u64>) -> Result<(), Denial> {
        if issued_at.unwrap_or_default() >= self.issued_before {
            return Ok(());
        }
        Err(Denial::IssuedBeforeCutoff { iat: issued_at, cutoff: self.issued_before })
    }
}

/// Reads a point in time: seconds since 1970, or `YYYY-MM-DDThh:mm:ssZ` (RFC 3339 in UTC, without fractions).
#[must_use]
pub fn parse_time(text: &str) -> Option<u64> {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    /// The year 9999: more is milliseconds.
    const LATEST: u64 = 253_402_300_799;

    let bytes = text.as_bytes();
    if bytes.len() != FORM.len() {
        return text.parse().ok().filter(|seconds| *seconds <= LATEST);
    }
    let has_form = |(byte, form): (&u8, &u8)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form };
    if !bytes.iter().zip(FORM).all(has_form) {
        return None;
    }
    let number =
        |from: usize, to: usize| bytes[from..to].iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last_day = match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_date = year >= 1970 && (1..=12).contains(&month) && (1..=last_day).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years that begin in March, so that the leap day is the last of its year; 719,468 days before 1970.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::Reason;

    #[test]
    fn a_time_is_seconds_or_rfc_3339_in_utc() {
        assert_eq!(parse_time("1795000000"), Some(1_795_000_000));
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_time("2000-03-01T00:00:00Z"), Some(951_868_800));
        assert_eq!(parse_time("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        assert_eq!(parse_time("2026-11-25T20:00:00Z"), Some(1_795_636_800));
        for bad in [
            "",
            "now",
            "-1",
            "1795000000000",
            "2026-11-25",
            "2026-11-25T20:00:00",
            "2026-11-25T20:00:00+01:00",
            "2026-11-25 20:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-06-31T00:00:00Z",
            "2026-09-31T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-08-32T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-11-25T24:00:00Z",
            "2026-11-25T20:60:00Z",
            "26-11-25T20:00:00Z",
            "2026-11-25T20:00:00.5Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_the_listed_keys_are_denied() {
        let thumbprint = [7; 32];
        let by_thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
        let denied = DeniedTokens { keys: vec!["stolen".to_owned(), by_thumbprint], ..DeniedTokens::default() };
        let reason = |result: Result<(), Denial>| result.map_err(|denial| denial.reason());
        assert_eq!(reason(denied.check_kid(Some("stolen"))), Err(Reason::KeyDenied));
        assert_eq!(reason(denied.check_kid(Some("good"))), Ok(()));
        assert_eq!(reason(denied.check_kid(None)), Ok(()));
        assert_eq!(reason(denied.check_key(Some("good"), &[8; 32])), Ok(()));
        assert_eq!(reason(denied.check_key(Some("stolen"), &[8; 32])), Err(Reason::KeyDenied));
        assert_eq!(reason(denied.check_key(Some("good"), &thumbprint)), Err(Reason::KeyDenied), "under another name");
        assert_eq!(reason(denied.check_key(None, &thumbprint)), Err(Reason::KeyDenied));
        assert_eq!(reason(DeniedTokens::default().check_key(Some("stolen"), &thumbprint)), Ok(()));
    }

    #[test]
    fn without_a_cutoff_no_token_is_too_old() {
        assert_eq!(DeniedTokens::default().check_issue_time(None), Ok(()));
        let denied = DeniedTokens { issued_before: 100, ..DeniedTokens::default() };
        assert_eq!(denied.check_issue_time(Some(100)), Ok(()));
        for too_old in [None, Some(0), Some(99)] {
            let denial = denied.check_issue_time(too_old).expect_err("too old");
            assert_eq!(denial.reason(), Reason::IssuedBeforeCutoff);
        }
    }
}
