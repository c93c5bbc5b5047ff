//! JWK Sets: which keys are taken out of them, and which key is chosen for a token.

use mcp_edge_runtime::base64::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn none() -> Result<KeySet, KeySetError> {
    Err(KeySetError::NoUsableKey(UnusedKeys::default()))
}

fn unreadable(count: usize) -> Result<KeySet, KeySetError> {
    Err(KeySetError::NoUsableKey(UnusedKeys { unreadable: count, ..UnusedKeys::default() }))
}

fn rsa(bits: usize) -> Value {
    json!({"kty": "RSA", "kid": "r", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8])})
}

fn ec() -> Value {
    let coordinate = URL_SAFE_NO_PAD.encode([7; 48]);
    json!({"kty": "EC", "kid": "e", "crv": "P-384", "alg": "ES384", "use": "sig", "x": coordinate, "y": coordinate})
}

fn warning(keys: &KeySet) -> String {
    keys.unused().to_string()
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn set(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(&json!({ "keys": keys }).to_string())
}

#[test]
fn unusable_keys_are_skipped_and_the_rest_stays() {
    for bad in [
        json!({"kty": "oct", "k": "AAAA", "kid": "o"}),
        with(rsa(2048), "d", json!("AQAB")),
        with(ec(), "d", json!("AQAB")),
        with(ec(), "use", json!("enc")),
        with(ec(), "key_ops", json!(["sign"])),
        with(ec(), "alg", json!("ES256")),
        with(ec(), "alg", json!("HS256")),
        with(ec(), "crv", json!("P-256")),
        with(ec(), "crv", json!("secp256k1")),
        with(ec(), "y", json!("AAAA")),
        with(rsa(2048), "e", json!("AQ")),
        with(rsa(2048), "e", json!("AAAC")),
        with(rsa(2048), "n", json!("not base64url!")),
        rsa(1024),
        rsa(2040),
        rsa(16384),
        json!({"kty": "OKP", "crv": "Ed448", "x": "AAAA"}),
        json!(null),
        json!("key"),
    ] {
        assert!(matches!(set(std::slice::from_ref(&bad)), Err(KeySetError::NoUsableKey(_))), "{bad}");
        assert_eq!(set(&[bad.clone(), ec()]).map(|keys| keys.iter().count()), Ok(1), "{bad}");
    }
}

#[test]
fn rsa_keys_without_alg_serve_every_rsa_algorithm() {
    // Logto publishes RSA keys without `alg`.
    let keys = set(&[rsa(4096)]).unwrap();
    for algorithm in Algorithm::ALL {
        let is_rsa = algorithm.name().starts_with(['R', 'P']);
        assert_eq!(keys.select(Some("r"), algorithm).is_ok(), is_rsa, "{}", algorithm.name());
    }
}

#[test]
fn alg_of_the_key_binds() {
    let keys = set(&[with(rsa(2048), "alg", json!("PS256"))]).unwrap();
    assert!(keys.select(Some("r"), Algorithm::PS256).is_ok());
    assert_eq!(keys.select(Some("r"), Algorithm::RS256).err(), Some(SelectionError::Mismatch));
}

#[test]
fn exactly_one_key_must_fit() {
    let keys = set(&[rsa(2048), with(rsa(4096), "kid", json!("r"))]).unwrap();
    assert_eq!(keys.select(Some("r"), Algorithm::RS256).err(), Some(SelectionError::Ambiguous));
    let keys = set(&[rsa(2048), ec()]).unwrap();
    assert_eq!(keys.select(Some("e"), Algorithm::RS256).err(), Some(SelectionError::Mismatch));
    assert_eq!(keys.select(Some("x"), Algorithm::RS256).err(), Some(SelectionError::Unknown));
}

#[test]
fn the_same_key_published_twice_is_one_key() {
    let keys = set(&[ec(), with(ec(), "use", json!(null))]).unwrap();
    assert!(keys.select(Some("e"), Algorithm::ES384).is_ok());
}

#[test]
fn without_kid_the_algorithm_must_choose_one_key() {
    let keys = set(&[rsa(2048), ec()]).unwrap();
    assert_eq!(keys.select(None, Algorithm::ES384).map(|key| key.kid.clone()), Ok(Some("e".to_owned())));
    assert_eq!(keys.select(None, Algorithm::EdDSA).err(), Some(SelectionError::Unknown));
    let keys = set(&[ec(), with(with(ec(), "kid", json!("f")), "x", json!(URL_SAFE_NO_PAD.encode([9; 48])))]).unwrap();
    assert_eq!(keys.select(None, Algorithm::ES384).err(), Some(SelectionError::Ambiguous));
}

#[test]
fn the_same_kid_for_two_algorithms_is_no_ambiguity() {
    let keys = set(&[with(rsa(2048), "kid", json!("k")), with(ec(), "kid", json!("k"))]).unwrap();
    assert!(keys.select(Some("k"), Algorithm::RS256).is_ok());
    assert!(keys.select(Some("k"), Algorithm::ES384).is_ok());
}

#[test]
fn a_key_under_which_everybody_can_sign_is_not_used() {
    let key = |first: u8, middle: u8, last: u8| {
        let mut x = [middle; 32];
        (x[0], x[31]) = (first, last);
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": URL_SAFE_NO_PAD.encode(x)})
    };
    for (first, middle, last) in [
        (0, 0, 0),
        (0, 0, 0x80),
        (1, 0, 0),
        (1, 0, 0x80),
        (0xec, 0xff, 0x7f),
        (0xec, 0xff, 0xff),
        (0xed, 0xff, 0x7f),
        (0xee, 0xff, 0x7f),
        (0xff, 0xff, 0xff),
    ] {
        assert_eq!(set(&[key(first, middle, last)]), none(), "{first} {middle} {last}");
    }
    for eighth in ["xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"] {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "o", "x": eighth});
        assert_eq!(set(&[key]), none(), "{eighth}");
    }
    assert!(set(&[key(2, 0, 0)]).is_ok() && set(&[key(0xeb, 0xff, 0x7f)]).is_ok());
}

#[test]
fn a_key_that_is_published_and_unusable_is_distinguished_from_one_that_is_not_published() {
    let unusable = [
        rsa(1024),
        with(rsa(2048), "use", json!("enc")),
        with(rsa(2048), "e", json!("AQ")),
        with(rsa(2048), "n", json!("not base64url!")),
    ];
    for unusable in unusable {
        let keys = set(&[unusable.clone(), ec()]).unwrap();
        // Also if it comes out of the store.
        for keys in [KeySet::parse(&keys.to_document().to_string()).unwrap(), keys] {
            assert!(keys.has_only_unusable("r"), "{unusable}");
            assert!(!keys.has_only_unusable("e") && !keys.has_only_unusable("x"));
        }
    }
    // Beside a usable one of the same name it does no harm.
    let keys = set(&[rsa(1024), rsa(2048)]).unwrap();
    assert!(keys.select(Some("r"), Algorithm::RS256).is_ok() && !keys.has_only_unusable("r"));
}

#[test]
fn the_order_of_keys_makes_no_other_set() {
    let one = set(&[rsa(2048), ec(), rsa(1024)]).unwrap();
    assert_eq!(one, set(&[rsa(1024), ec(), rsa(2048)]).unwrap());
    assert_ne!(one, set(&[rsa(2048), ec()]).unwrap());
    assert_ne!(one, set(&[rsa(2048), ec(), rsa(4096)]).unwrap());
    assert_ne!(one, set(&[rsa(2048), with(ec(), "kid", json!("other")), rsa(1024)]).unwrap());
}

#[test]
fn what_goes_into_the_store_comes_out_the_same() {
    let keys = set(&[rsa(2048), ec(), with(ec(), "use", json!("enc"))]).unwrap();
    assert_eq!(KeySet::parse(&keys.to_document().to_string()), Ok(keys));
}

fn numbered(count: usize, of: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..count).map(|number| with(of(number), "kid", json!(format!("key-{number}")))).collect()
}

#[test]
fn a_set_with_a_key_for_each_of_many_tenants_is_read_whole() {
    let keys = set(&numbered(121, |_| rsa(2048))).unwrap();
    assert_eq!((keys.iter().count(), &*warning(&keys)), (121, ""));
    for kid in ["key-0", "key-60", "key-120"] {
        assert!(keys.select(Some(kid), Algorithm::RS256).is_ok(), "{kid}");
    }
}

#[test]
fn of_more_keys_the_first_are_read_and_the_operator_hears_of_the_rest() {
    assert_eq!(warning(&set(&numbered(MAX_KEYS, |_| ec())).unwrap()), "");
    let keys = set(&numbered(MAX_KEYS + 3, |_| ec())).unwrap();
    assert_eq!(
        (keys.iter().count(), &*warning(&keys)),
        (256, "the provider published more keys than are read, keys ignored: 3")
    );
    assert_eq!(keys.select(Some("key-256"), Algorithm::ES384).err(), Some(SelectionError::Unknown));
    // Neither a long set nor a long key is built in memory.
    assert_eq!(set(&[with(rsa(2048), "x5c", json!("A".repeat(MAX_KEY_BYTES)))]), unreadable(1));
    assert!(set(&[with(rsa(2048), "x5c", json!(vec!["A".repeat(2000); 5]))]).is_ok());
}

#[test]
fn a_private_key_is_not_used_and_the_operator_hears_of_it() {
    for (name, value) in [
        ("d", json!("s3cret")),
        ("p", json!("s3cret")),
        ("q", json!("s3cret")),
        ("dp", json!("s3cret")),
        ("dq", json!("s3cret")),
        ("qi", json!("s3cret")),
        ("oth", json!([{"r": "s3cret"}])),
        ("k", json!("s3cret")),
        ("d", json!(7)),
    ] {
        let keys = set(&[with(rsa(2048), name, value.clone()), ec()]).unwrap();
        for keys in [KeySet::parse(&keys.to_document().to_string()).unwrap(), keys] {
            assert_eq!(keys.select(Some("r"), Algorithm::RS256).err(), Some(SelectionError::Unknown), "{name}");
            assert_eq!(keys.publication("r"), Publication::Private, "{name}");
            assert!(warning(&keys).contains("private key") && warning(&keys).ends_with("kid r"), "{}", warning(&keys));
            assert!(!keys.to_document().to_string().contains("s3cret"), "{name}");
        }
        let alone = set(&[with(rsa(2048), name, value)]).unwrap_err().to_string();
        assert!(alone.contains("private key") && alone.ends_with("kid r") && !alone.contains("s3cret"), "{alone}");
        assert!(set(&[with(rsa(2048), name, json!(null))]).is_ok(), "{name}");
    }
    assert!(!warning(&set(&[rsa(1024), ec()]).unwrap()).contains("private"));
    // Many names make no long line.
    let many = [numbered(200, |_| with(rsa(2048), "d", json!("s3cret"))), vec![ec()]].concat();
    assert!(warning(&set(&many).unwrap()).len() < 300);
}

#[test]
fn the_operator_hears_of_keys_that_are_skipped_unread() {
    let key = ec().to_string();
    let twice = key.replacen('{', r#"{"x5c":1,"x5c":2,"#, 1);
    let long = with(ec(), "x5c", json!("A".repeat(MAX_KEY_BYTES)));
    let keys = KeySet::parse(&format!(r#"{{"keys":[{twice},{long},null,{key}]}}"#)).unwrap();
    assert_eq!(warning(&keys), "the provider published keys that are too long or malformed, keys skipped: 3");
    // An encryption key beside the signing key is nothing unusual.
    assert_eq!(warning(&set(&[with(rsa(2048), "use", json!("enc")), ec()]).unwrap()), "");
    let all = [vec![with(rsa(2048), "d", json!("x")), json!(1)], numbered(MAX_KEYS - 1, |_| ec())].concat();
    assert_eq!(
        warning(&set(&all).unwrap()),
        "the provider published a private key, which is not used and must be replaced: kid r; the provider published \
         keys that are too long or malformed, keys skipped: 1; the provider published more keys than are read, keys \
         ignored: 1"
    );
}

#[test]
fn without_a_usable_key_the_error_says_what_is_known_of_the_others() {
    let error = |keys: &[Value]| set(keys).unwrap_err().to_string();
    assert_eq!(error(&[]), "no usable key in the JWK Set");
    assert_eq!(error(&[rsa(1024)]), "no usable key in the JWK Set");
    assert_eq!(
        error(&[json!(null)]),
        "no usable key in the JWK Set: the provider published keys that are too long or malformed, keys skipped: 1"
    );
}

#[test]
fn a_key_with_a_member_twice_is_skipped() {
    let key = ec().to_string();
    let twice = key.replacen('{', r#"{"d":"s3cret","d":null,"#, 1);
    assert_eq!(KeySet::parse(&format!(r#"{{"keys":[{twice}]}}"#)), unreadable(1));
    assert_eq!(KeySet::parse(&format!(r#"{{"keys":[{twice},{key}]}}"#)).map(|keys| keys.iter().count()), Ok(1));
}

#[test]
fn the_bits_of_a_modulus_count_from_its_highest_one() {
    let modulus = |bytes: &[u8], rest: usize| {
        let bytes: Vec<_> = bytes.iter().copied().chain(std::iter::repeat_n(0xff, rest)).collect();
        set(&[with(rsa(2048), "n", json!(URL_SAFE_NO_PAD.encode(bytes)))])
    };
    assert!(modulus(&[0x80], 255).is_ok());
    assert_eq!(modulus(&[0x7f], 255), none(), "2047 bits");
    assert_eq!(modulus(&[0, 0x7f], 255), none(), "zeros in front are no bits");
    assert!(modulus(&[0, 0, 0xff], 1023).is_ok());
    assert_eq!(modulus(&[1], 1024), none(), "8193 bits");
    let keys = modulus(&[1], 256).unwrap();
    assert_eq!(keys.iter().next().map(|key| key.material.signature_length()), Some(257), "2049 bits");
}

#[test]
fn only_the_points_of_small_order_are_refused() {
    let with_byte = |encoded: &str, at: usize, byte: u8| {
        let mut x = URL_SAFE_NO_PAD.decode(encoded).unwrap();
        x[at] = byte;
        set(&[json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x)})]).is_ok()
    };
    for eighth in ["xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o", "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU"] {
        assert!(with_byte(eighth, 0, 0) && with_byte(eighth, 15, 0) && with_byte(eighth, 31, 1), "{eighth}");
    }
}

#[test]
fn exponents_are_odd_not_one_and_at_most_eight_bytes() {
    let exponent = |bytes: &[u8]| set(&[with(rsa(2048), "e", json!(URL_SAFE_NO_PAD.encode(bytes)))]).is_ok();
    for good in [&[3][..], &[1, 0, 1], &[1, 1], &[0, 3], &[1, 0, 0, 0, 0, 0, 0, 1]] {
        assert!(exponent(good), "{good:?}");
    }
    for bad in
        [&[][..], &[0], &[1], &[0, 0, 1], &[2], &[1, 0], &[0, 0, 0, 0, 0, 0, 0, 0, 3], &[1, 0, 0, 0, 0, 0, 0, 0, 0, 1]]
    {
        assert!(!exponent(bad), "{bad:?}");
    }
}

#[test]
fn a_key_for_another_purpose_on_the_same_curve_is_not_used() {
    let x = URL_SAFE_NO_PAD.encode([7; 32]);
    assert!(set(&[json!({"kty": "OKP", "crv": "Ed25519", "x": x})]).is_ok());
    assert_eq!(set(&[json!({"kty": "OKP", "crv": "X25519", "x": x})]), none());
}

#[test]
fn documents_that_are_no_sets_are_malformed() {
    for document in ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]"#] {
        assert_eq!(KeySet::parse(document), Err(KeySetError::Malformed), "{document}");
    }
    assert_eq!(set(&[]), none());
}

proptest! {
    #[test]
    fn no_document_panics(kty in "RSA|EC|OKP|oct", crv in "P-256|P-384|P-521|Ed25519|x", n in "[A-Za-z0-9_-]{0,700}", e in "[A-Za-z0-9_-]{0,8}") {
        let _ = set(&[json!({"kty": kty, "crv": crv, "n": n, "e": e, "x": n, "y": e})]);
    }
}
