//! Base64 (RFC 4648), in one form each: canonical, with all of the padding or none.

use base64ct::{Base64 as Standard, Base64UrlUnpadded, Encoding};

/// The standard alphabet, with padding (§4).
pub const STANDARD: Base64 = Base64::Standard;

/// The alphabet for URLs and file names, without padding (§5).
pub const URL_SAFE_NO_PAD: Base64 = Base64::UrlSafeNoPad;

/// An alphabet, and whether strings are padded.
#[derive(Debug, Clone, Copy)]
pub enum Base64 {
    /// [`STANDARD`]
    Standard,
    /// [`URL_SAFE_NO_PAD`]
    UrlSafeNoPad,
}

impl Base64 {
    /// Encodes bytes.
    #[must_use]
    pub fn encode(self, bytes: impl AsRef<[u8]>) -> String {
        match self {
            Self::Standard => Standard::encode_string(bytes.as_ref()),
            Self::UrlSafeNoPad => Base64UrlUnpadded::encode_string(bytes.as_ref()),
        }
    }

    /// Encodes bytes, and adds them to a text.
    pub fn encode_into(self, bytes: &[u8], text: &mut String) {
        text.push_str(&self.encode(bytes));
    }

    /// Decodes a text. `None` for one that is not the encoding of any bytes: with other digits or padding, or with bits that
    /// are left over and not zero.
    #[must_use]
    pub fn decode(self, text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(text.as_ref()).ok()?;
        match self {
            Self::Standard => Standard::decode_vec(text).ok(),
            Self::UrlSafeNoPad => Base64UrlUnpadded::decode_vec(text).ok(),
        }
    }
}

/// Decodes what any decoder could take for Base64: in either alphabet, with or without padding, with bits left over.
#[must_use]
pub fn decode_leniently(text: &str) -> Option<Vec<u8>> {
    decode_digits(text.trim_end_matches('=').as_bytes())
}

/// The bytes of digits of either alphabet.
fn decode_digits(digits: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut buffer, mut bits) = (0_u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            #[allow(clippy::cast_possible_truncation, reason = "the next eight bits")]
            bytes.push((buffer >> bits) as u8);
        }
    }
    Some(bytes)
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_encoded_as_by_others_and_decoded_again(bytes: Vec<u8>) {
            prop_assert_eq!(STANDARD.encode(&bytes), general_purpose::STANDARD.encode(&bytes));
            prop_assert_eq!(URL_SAFE_NO_PAD.encode(&bytes), general_purpose::URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(STANDARD.decode(STANDARD.encode(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(URL_SAFE_NO_PAD.decode(URL_SAFE_NO_PAD.encode(&bytes)), Some(bytes));
        }

        #[test]
        fn strings_are_decoded_as_by_others(text in "[A-C/+_=Qgw-]{0,9}|[ -~]{0,8}|\\PC{0,4}") {
            prop_assert_eq!(STANDARD.decode(&text), general_purpose::STANDARD.decode(&text).ok(), "{}", text);
            prop_assert_eq!(URL_SAFE_NO_PAD.decode(&text), general_purpose::URL_SAFE_NO_PAD.decode(&text).ok(), "{}", text);
        }
    }

    #[test]
    fn only_canonical_strings_are_decoded() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("b2s=", "ok"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")] {
            assert_eq!(STANDARD.decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
            assert_eq!(URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in ["=", "==", "====", "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg===", "Z===", "Zg==Zg==", "Zm9v\n", "Zm9 "]
        {
            assert_eq!(STANDARD.decode(text), None, "{text}");
        }
        for text in ["Z", "Zh", "Zg==", "Zm9", "Zm9vZ"] {
            assert_eq!(URL_SAFE_NO_PAD.decode(text), None, "{text}");
        }
        assert_eq!((STANDARD.decode("-_-_"), URL_SAFE_NO_PAD.decode("+/+/")), (None, None));
        assert_eq!(
            (STANDARD.decode("+/+/"), URL_SAFE_NO_PAD.decode("-_-_")),
            (Some(vec![251, 255, 191]), Some(vec![251, 255, 191]))
        );
    }

    #[test]
    fn what_anybody_could_decode_is_decoded_leniently() {
        for text in ["e30", "e30=", "e30===", "e31", "e3-_e3+/", "e"] {
            assert!(decode_leniently(text).is_some(), "{text}");
        }
        assert_eq!((decode_leniently("e3~"), decode_leniently("e=30")), (None, None));
    }
}
