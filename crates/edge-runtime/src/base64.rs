//! Base64 (RFC 4648), in one form each: canonical, with all of the padding or none. By hand, since the usual crate is 2 KB more
//! of a bundle.

/// The standard alphabet, with padding (§4).
pub const STANDARD: Base64 = Base64 { last: *b"+/", is_padded: true };

/// The alphabet for URLs and file names, without padding (§5).
pub const URL_SAFE_NO_PAD: Base64 = Base64 { last: *b"-_", is_padded: false };

/// An alphabet, and whether strings are padded.
#[derive(Debug, Clone, Copy)]
pub struct Base64 {
    /// The last two digits, in which alphabets differ.
    last: [u8; 2],
    is_padded: bool,
}

impl Base64 {
    /// Encodes bytes.
    #[must_use]
    pub fn encode(self, bytes: impl AsRef<[u8]>) -> String {
        let mut text = String::new();
        self.encode_into(bytes.as_ref(), &mut text);
        text
    }

    /// Encodes bytes, and adds them to a text.
    pub fn encode_into(self, bytes: &[u8], text: &mut String) {
        text.reserve(bytes.len().div_ceil(3) * 4);
        for chunk in bytes.chunks(3) {
            let mut group = [0; 4];
            group[1..=chunk.len()].copy_from_slice(chunk);
            let group = u32::from_be_bytes(group);
            for place in 0..4 {
                if place <= chunk.len() {
                    text.push(char::from(self.digit(group >> (18 - 6 * place) & 63)));
                } else if self.is_padded {
                    text.push('=');
                }
            }
        }
    }

    /// Decodes a text. `None` for one that is not the encoding of any bytes: with other digits or padding, or with bits that
    /// are left over and not zero.
    #[must_use]
    pub fn decode(self, text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        self.decode_canonical(text.as_ref())
    }

    fn decode_canonical(self, text: &[u8]) -> Option<Vec<u8>> {
        let digits = if self.is_padded { without_padding(text)? } else { text };
        let others = if self.is_padded { URL_SAFE_NO_PAD.last } else { STANDARD.last };
        let (bytes, left_over) = decode_digits(digits)?;
        (left_over == Some(0) && !digits.iter().any(|digit| others.contains(digit))).then_some(bytes)
    }

    fn digit(self, value: u32) -> u8 {
        #[allow(clippy::cast_possible_truncation, reason = "below 64")]
        match value as u8 {
            value @ 0..=25 => b'A' + value,
            value @ 26..=51 => b'a' + value - 26,
            value @ 52..=61 => b'0' + value - 52,
            value => self.last[usize::from(value & 1)],
        }
    }
}

/// Decodes what any decoder could take for Base64: in either alphabet, with or without padding, with bits left over.
#[must_use]
pub fn decode_leniently(text: &str) -> Option<Vec<u8>> {
    decode_digits(text.trim_end_matches('=').as_bytes()).map(|(bytes, _)| bytes)
}

fn without_padding(text: &[u8]) -> Option<&[u8]> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let text = text.strip_suffix(b"=").unwrap_or(text);
    Some(text.strip_suffix(b"=").unwrap_or(text))
}

/// The bytes of digits of either alphabet, and the bits that are left over; `None` of a digit that belongs to no byte.
fn decode_digits(digits: &[u8]) -> Option<(Vec<u8>, Option<u32>)> {
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
    Some((bytes, (bits < 6).then_some(buffer & ((1 << bits) - 1))))
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
