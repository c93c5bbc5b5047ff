use std::{cell::Cell, pin::Pin, time::Duration};

use mcp_edge_runtime::ports::Runtime;
use proptest::prelude::*;

use super::*;

/// Keys that other implementations can be tested with.
const EXAMPLES: [(&str, &str, &str, &str); 3] = [
    (
        "mcpk",
        "0123456789ABCDEF",
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg",
        "mcpk_0123456789ABCDEF_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2Hx3Rx",
    ),
    (
        "mcpk",
        "zzzzzzzzzzz00000",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        "mcpk_zzzzzzzzzzz00000_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz3m1aTK",
    ),
    (
        "acme1",
        "exampleexample00",
        "zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ",
        "acme1_exampleexample00_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ2tSFmS",
    ),
];

/// Gives the bytes 0 to 255 in turn.
#[derive(Default)]
struct Counter(Cell<u8>);

impl Runtime for Counter {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        unreachable!("nothing waits")
    }

    fn random(&self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.0.get();
            self.0.set(byte.wrapping_add(1));
        }
    }
}

#[test]
fn the_checksum_is_that_of_ieee_802_3() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    assert_eq!(crc32(b""), 0);
}

#[test]
fn published_examples() {
    for (prefix, id, secret, key) in EXAMPLES {
        assert_eq!(write(prefix, id, &Secret::new(secret)).expose(), key);
        assert_eq!(parse(key, prefix), Ok(KeyParts { id, secret }));
    }
}

#[test]
fn numbers_are_written_with_the_most_significant_digit_first() {
    assert_eq!(to_base62(0, 6), "000000");
    assert_eq!(to_base62(61, 2), "0z");
    assert_eq!(to_base62(62, 2), "10");
    assert_eq!(to_base62(62 * 10 + 36, 3), "0Aa");
    assert_eq!(to_base62(u64::from(u32::MAX), 6), "4gfFC3");
    assert_eq!(to_base62(62_u64.pow(5) + 1, 5), "00001", "what does not fit is cut off");
    assert_eq!(to_base62(7, 0), "");
}

#[test]
fn random_characters_are_all_of_the_same_probability() {
    let text = random_base62(248 * 4, &Counter::default());
    for character in ('0'..='9').chain('A'..='Z').chain('a'..='z') {
        assert_eq!(text.chars().filter(|it| *it == character).count(), 16, "{character}");
    }
    for length in [0, 1, 43, 200] {
        assert_eq!(random_base62(length, &Counter::default()).len(), length);
    }
}

#[test]
fn the_secret_is_not_shown() {
    let (prefix, id, secret, key) = EXAMPLES[0];
    let shown = format!("{:?} {:?}", parse(key, prefix), write(prefix, id, &Secret::new(secret)));
    assert!(shown.contains(id) && !shown.contains(secret), "{shown}");
}

#[test]
fn a_prefix_is_followed_by_an_underscore() {
    assert!(has_prefix("mcpk_", "mcpk") && has_prefix("mcpk_x", "mcpk"));
    for other in ["", "mcpk", "mcpkx_", "mcp_", "MCPK_x", " mcpk_x", "xmcpk_"] {
        assert!(!has_prefix(other, "mcpk"), "{other}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        prefix in "[a-z][a-z0-9]{1,11}", id in "[0-9A-Za-z]{16}", secret in "[0-9A-Za-z]{43}",
    ) {
        let key = write(&prefix, &id, &Secret::new(&*secret));
        prop_assert_eq!(parse(key.expose(), &prefix), Ok(KeyParts { id: &id, secret: &secret }));
        prop_assert!(has_prefix(key.expose(), &prefix));
        prop_assert_eq!(key.expose().len(), prefix.len() + 1 + 16 + 1 + 49);
    }

    #[test]
    fn one_wrong_character_is_found(at in 0_usize..71, with in "[0-9A-Za-z_]") {
        let (prefix, _, _, key) = EXAMPLES[0];
        let mut mistyped = key.to_owned();
        mistyped.replace_range(at..=at, &with);
        prop_assert_eq!(parse(&mistyped, prefix).is_ok(), mistyped == key);
    }

    #[test]
    fn two_exchanged_characters_are_found(first in 0_usize..71, second in 0_usize..71) {
        let (prefix, _, _, key) = EXAMPLES[1];
        let mut bytes = key.as_bytes().to_vec();
        bytes.swap(first, second);
        let mistyped = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(parse(&mistyped, prefix).is_ok(), mistyped == key);
    }

    #[test]
    fn a_part_of_a_key_is_none(length in 0_usize..71) {
        let (prefix, _, _, key) = EXAMPLES[0];
        prop_assert_eq!(parse(&key[..length], prefix), Err(MalformedKey));
        let longer = format!("{key}{}", &key[..length.max(1)]);
        prop_assert_eq!(parse(&longer, prefix), Err(MalformedKey));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,90}", rest in "\\PC{0,80}") {
        let _ = parse(&text, "mcpk");
        let _ = parse(&format!("mcpk_{rest}"), "mcpk");
    }
}
