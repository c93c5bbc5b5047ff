//! Tokens that no provider writes: repeated members, other spellings of names, broken encodings, other key sets.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use mcp_edge_runtime::crypto::Algorithm;
use serde_json::{Value, json};

use crate::{
    both::{Comparison, Scene},
    support::{
        signatures::key_pair,
        tokens::{ISSUER, RESOURCE, claims},
        world::START,
    },
};

const HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k"}"#;

fn scene() -> Scene {
    let mut scene = Scene::new(&[("ISSUER", ISSUER), ("RESOURCE", RESOURCE), ("PROVIDER", "generic")]);
    scene.publish(ISSUER, &[key_pair("ed25519").jwk("k")]);
    scene
}

/// Signs segments as they are.
fn signed(header: &str, claims: &str) -> String {
    let input = format!("{header}.{claims}");
    let signature = key_pair("ed25519").sign(Algorithm::EdDSA, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn encoded(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    signed(&URL_SAFE_NO_PAD.encode(header), &URL_SAFE_NO_PAD.encode(claims))
}

/// Spellings of a JSON object, given its members without the braces.
fn spellings(object: &str) -> Vec<Vec<u8>> {
    let inner = &object[1..object.len() - 1];
    let mut spellings: Vec<Vec<u8>> = [
        object.to_owned(),
        format!(" {object} "),
        format!("\n{{ {inner} }}\r\n"),
        format!("{{\t{inner}}}"),
        format!("\u{feff}{object}"),
        format!("{object}x"),
        format!("{object},"),
        format!("{object}{object}"),
        format!("[{object}]"),
        format!("{{{inner},}}"),
        format!("{{{inner},\"x\":1}}"),
        format!("{{{inner},\"x\":1,\"x\":1}}"),
        format!("{{{inner},\"x\":{{\"y\":1,\"y\":2}}}}"),
        format!("{{{inner},\"\":1}}"),
        format!("{{{inner},\"sub\":\"mallory\"}}"),
        format!("{{{inner},\"s\\u0075b\":\"mallory\"}}"),
        format!("{{{inner},\"alg\":\"none\"}}"),
        format!("{{{inner},\"al\\u0067\":\"EdDSA\"}}"),
        format!("{{{inner},\"typ\":\"Bearer\"}}"),
        format!("{{{inner},\"cnf\":null}}"),
        format!("{{{inner},\"c\\u006ef\":{{}}}}"),
        format!("{{{inner},\"x\":1e400}}"),
        format!("{{{inner},\"x\":-0}}"),
        format!("{{{inner},\"x\":01}}"),
        format!("{{{inner},\"x\":NaN}}"),
        format!("{{{inner},\"x\":\"\\ud800\"}}"),
        format!("{{{inner},\"x\":\"\\ud83d\\ude00\"}}"),
        format!("{{{inner},\"\\ud800\":1}}"),
        format!("{{{inner},\"x\":\"\u{1}\"}}"),
        format!("{{{inner},'x':1}}"),
        format!("{{{inner},\"x\":{}1{}}}", "[".repeat(100), "]".repeat(100)),
        format!("{{{inner},\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200)),
        format!("{{{inner},\"x\":{}}}", "9".repeat(400)),
        "{}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"x\"".to_owned(),
        "1".to_owned(),
        String::new(),
        "{".to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    let mut invalid = object.as_bytes().to_vec();
    invalid.insert(2, 0xff);
    spellings.push(invalid);
    spellings
}

#[test]
fn other_spellings_of_json_are_judged_alike() {
    let mut comparison = Comparison::default();
    let good = claims(START).to_string();
    for spelling in spellings(&good) {
        comparison.compare(&scene(), &encoded(HEADER, &spelling), || String::from_utf8_lossy(&spelling).into_owned());
    }
    for spelling in spellings(HEADER) {
        let name = || format!("header {}", String::from_utf8_lossy(&spelling));
        comparison.compare(&scene(), &encoded(&spelling, &good), name);
    }
    for name in ["iss", "sub", "aud", "exp", "client_id", "scope", "iat"] {
        let escaped =
            good.replacen(&format!("\"{name}\""), &format!("\"\\u{:04x}{}\"", name.as_bytes()[0], &name[1..]), 1);
        comparison.compare(&scene(), &encoded(HEADER, &escaped), || escaped.clone());
        let value = claims(START)[name].to_string();
        let twice = format!("{{\"{name}\":{value},{}", &good[1..]);
        comparison.compare(&scene(), &encoded(HEADER, &twice), || twice.clone());
    }
    for number in [
        "1795003600",
        "1795003600.0",
        "1.7950036e9",
        "17950036E2",
        "1795003600.9",
        "1e10",
        "1e18",
        "1e19",
        "1e30",
        "-1",
        "99999999999999999999",
    ] {
        for name in ["exp", "iat", "nbf"] {
            let mut changed = claims(START);
            changed[name] = json!("NUMBER");
            let text = changed.to_string().replace("\"NUMBER\"", number);
            comparison.compare(&scene(), &encoded(HEADER, &text), || text.clone());
        }
    }
    assert!(comparison.accepted > 20, "{:?}", comparison.refused);
    comparison.finish();
}

#[test]
fn other_encodings_are_judged_alike() {
    let mut comparison = Comparison::default();
    // Of all remainders of its length, so that some end in bits that nothing uses.
    for pad in ["", "x", "xx"] {
        let mut good = claims(START);
        good["pad"] = pad.into();
        let good = good.to_string();
        let (header, body) = (URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(&good));
        let token = signed(&header, &body);
        let (input, signature) = token.rsplit_once('.').expect("three segments");
        let last_changed = |text: &str| {
            let last = text.as_bytes()[text.len() - 1];
            let next = if last == b'Z' || last == b'z' || last == b'9' { b'A' } else { last + 1 };
            format!("{}{}", &text[..text.len() - 1], char::from(next))
        };
        let cases = [
            token.clone(),
            signed(&header, &last_changed(&body)),
            signed(&last_changed(&header), &body),
            format!("{input}.{}", last_changed(signature)),
            signed(&URL_SAFE.encode(HEADER), &URL_SAFE.encode(&good)),
            signed(&STANDARD.encode(HEADER), &STANDARD.encode(&good)),
            signed(&header, &format!("{body}=")),
            signed(&header, &format!("{body}A")),
            format!("{token}="),
            format!("{token}A"),
            format!("{token}AAAA"),
            format!("{input}."),
            input.to_owned(),
            format!("{token}."),
            format!("{token}.x"),
            format!("{token}.x.y"),
            format!(".{token}"),
            format!("{header}..{signature}"),
            format!(".{body}.{signature}"),
            format!("{header}.{body}.{}", &signature[..signature.len() - 4]),
            format!("{header}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
            token.to_uppercase(),
            token.replace('.', "-"),
            format!("{}.a.b.c.d", URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#)),
            format!("{header}.a.b.c.d"),
            format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)),
        ];
        for token in cases {
            comparison.compare(&scene(), &token, || token.clone());
        }
    }
    comparison.finish();
}

/// Changes to a published key.
fn keys() -> Vec<Vec<Value>> {
    let good = key_pair("ed25519").jwk("k");
    let other = key_pair("p256").jwk("other");
    let mut sets = vec![
        vec![good.clone()],
        vec![other.clone()],
        vec![],
        vec![good.clone(), good.clone()],
        vec![good.clone(), key_pair("p256").jwk("k")],
        vec![key_pair("p256").jwk("k")],
        vec![good.clone(), json!(1), json!({}), json!(null)],
        vec![json!({ "kty": "oct", "k": "AAAA", "kid": "k" }), other.clone()],
    ];
    for (member, values) in [
        ("use", vec![json!("enc"), json!("sig"), json!(null), json!(1), json!("")]),
        ("alg", vec![json!("EdDSA"), json!("Ed25519"), json!("ES256"), json!(null), json!(1), json!("")]),
        ("key_ops", vec![json!(["verify"]), json!(["sign"]), json!([]), json!("verify"), json!(null)]),
        ("kid", vec![json!(null), json!(""), json!(1), json!("K"), json!("k ")]),
        ("d", vec![json!("AAAA"), json!(null), json!("")]),
        ("k", vec![json!("AAAA")]),
        ("x", vec![json!(null), json!(""), json!("AAAA"), json!(1), other["x"].clone(), json!("A".repeat(43))]),
        ("crv", vec![json!("Ed448"), json!("X25519"), json!(null), json!("P-256")]),
        ("kty", vec![json!("EC"), json!("okp"), json!(null)]),
        ("issuer", vec![json!("https://other.example"), json!(1)]),
        ("x5c", vec![json!(["AAAA"]), json!(1)]),
    ] {
        for value in values {
            let mut changed = good.clone();
            changed[member] = value;
            sets.push(vec![changed.clone()]);
            sets.push(vec![changed.clone(), other.clone()]);
            sets.push(vec![changed, good.clone()]);
        }
    }
    sets
}

#[test]
fn other_key_sets_are_judged_alike() {
    let mut comparison = Comparison::default();
    let body = claims(START).to_string();
    for set in keys() {
        let mut scene = scene();
        scene.publish(ISSUER, &set);
        for header in [
            HEADER,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
            r#"{"alg":"Ed25519","typ":"at+jwt","kid":"k"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":""}"#,
        ] {
            for settings in [&[][..], &[("DENIED_KEYS", "other 3x")], &[("DENIED_KEYS", "k")]] {
                let scene = scene.clone().with(settings);
                let name = || format!("{header} {}", json!(set));
                comparison.compare(&scene, &encoded(header, &body), name);
            }
        }
    }
    assert!(comparison.accepted > 20, "{:?}", comparison.refused);
    comparison.finish();
}

#[test]
fn denied_thumbprints_are_judged_alike() {
    let mut comparison = Comparison::default();
    for name in ["rsa-1", "p256", "p384-1", "ed25519"] {
        let key = key_pair(name);
        let mut scene = scene();
        scene.publish(ISSUER, &[key.jwk("k")]);
        let algorithm = match name {
            "rsa-1" => Algorithm::RS256,
            "p256" => Algorithm::ES256,
            "p384-1" => Algorithm::ES384,
            _ => Algorithm::EdDSA,
        };
        let header = json!({ "alg": algorithm.name(), "typ": "at+jwt", "kid": "k" });
        let token = crate::support::tokens::mint(&key, algorithm, &header, &claims(START));
        let thumbprint = URL_SAFE_NO_PAD.encode(crate::support::world::thumbprint(&key.jwk("k")));
        for denied in ["", &thumbprint, "other"] {
            let scene = scene.clone().with(&[("DENIED_KEYS", denied)]);
            comparison.compare(&scene, &token, || format!("{name}: {denied}"));
        }
    }
    assert_eq!((comparison.accepted, comparison.refused.get("key_denied").copied()), (8, Some(4)));
    comparison.finish();
}

#[test]
fn keys_that_are_written_otherwise_are_judged_alike() {
    let mut comparison = Comparison::default();
    let token = encoded(HEADER, claims(START).to_string());
    let good = key_pair("ed25519").jwk("k").to_string();
    let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    let long = |bytes: usize| with(&format!(r#""x5c":["{}"]"#, "A".repeat(bytes)));
    let rsa = |name: &str, value: &str| {
        let mut key = key_pair("rsa-1").jwk("k");
        key[name] = value.into();
        key.to_string()
    };
    let sets = [
        format!(r#"{{"keys":[{}]}}"#, with(r#""kid":"k""#)),
        format!(r#"{{"keys":[{}]}}"#, with(r#""a":1,"a":1"#)),
        format!(r#"{{"keys":[{}]}}"#, with(r#""a":{"b":1,"b":1}"#)),
        format!(r#"{{"keys":[{}, {good}]}}"#, with(r#""kid":"k""#)),
        format!(r#"{{"keys":[{}]}}"#, long(31 * 1024)),
        format!(r#"{{"keys":[{}]}}"#, long(33 * 1024)),
        format!(r#"{{"keys":[{good}],"keys":[]}}"#),
        format!(r#"{{"keys":[{good}],"x":"{}"}}"#, "A".repeat(511 * 1024)),
        format!(r#"{{"keys":[{good}],"x":"{}"}}"#, "A".repeat(513 * 1024)),
        format!(r#"{{"keys":[{good}, [], "x", null, 1, {{}}]}}"#),
        format!(r#"{{"keys":[{},{good}]}}"#, rsa("n", &"_".repeat(1400))),
        format!(r#"{{"keys":[{}]}}"#, rsa("n", &"_".repeat(1400))),
        format!(r#"{{"keys":[{}]}}"#, rsa("e", &format!("{}B", "A".repeat(11)))),
        format!(r#"{{"keys":[{}]}}"#, rsa("e", "AAAAAAAAAQAB")),
    ];
    for set in sets {
        let mut scene = scene();
        scene.publish(ISSUER, &[]);
        scene.documents.insert(format!("{ISSUER}/jwks"), set.clone());
        for settings in [&[][..], &[("DENIED_KEYS", "x")]] {
            comparison.compare(&scene.clone().with(settings), &token, || set.chars().take(300).collect());
        }
    }
    for bytes in [63 * 1024, 65 * 1024] {
        let mut scene = scene();
        scene.publish(ISSUER, &[key_pair("ed25519").jwk("k")]);
        for document in scene.documents.values_mut().filter(|document| document.contains("jwks_uri")) {
            *document = document.replacen('{', &format!(r#"{{"x":"{}","#, "A".repeat(bytes)), 1);
        }
        comparison.compare(&scene, &token, || format!("a discovery document of {bytes} bytes"));
    }
    assert!(comparison.accepted > 5, "{:?}", comparison.refused);
    comparison.finish();
}
