//! What the [signs](Sign) of a profile mean, read against the claims of a token.

use mcp_edge_providers::Sign;
use serde_json::Value;

use super::{
    jwt::{Object, date, member, text},
    settings::lists::is_scope,
};

/// What in the claims makes the sign hold, in words. `None` if it does not hold.
#[must_use]
pub fn proof(sign: &Sign, claims: &Object) -> Option<String> {
    let holds = match *sign {
        Sign::All(signs) => {
            let proofs: Option<Vec<String>> = signs.iter().map(|sign| proof(sign, claims)).collect();
            return proofs.map(|proofs| proofs.join(" and "));
        }
        Sign::Any(signs) => return signs.iter().find_map(|sign| proof(sign, claims)),
        Sign::Not(sign) => proof(sign, claims).is_none(),
        Sign::HasText(claim) => text(claims, claim).is_some(),
        Sign::HasList(claim) => {
            let items = claims.get(claim).and_then(Value::as_array);
            items.is_some_and(|items| items.iter().filter_map(Value::as_str).any(|text| !text.is_empty()))
        }
        Sign::HasDate(claim) => member(claims, claim).and_then(date).is_some_and(|date| date > 0.0),
        Sign::HasScope(claim) => member(claims, claim).is_some_and(|value| !scopes_in(value).is_empty()),
        Sign::NotTrue(claim) => member(claims, claim).is_none_or(|value| *value == Value::Bool(false)),
        Sign::HasWord(claim, words) => {
            string(claims, claim).is_some_and(|text| text.split(' ').any(|word| words.contains(&word)))
        }
        Sign::Absent(claim) => member(claims, claim).is_none_or(is_empty),
        Sign::OneOf(claim, values) => member(claims, claim).is_some_and(|value| is_one_of(value, values)),
        Sign::StartsWith(claim, start) => string(claims, claim).is_some_and(|text| text.starts_with(start)),
        Sign::EndsWith(claim, end) => string(claims, claim).is_some_and(|text| text.ends_with(end)),
        Sign::Contains(claim, part) => string(claims, claim).is_some_and(|text| text.contains(part)),
        Sign::SubjectIs(claim, suffix) => {
            let subject = string(claims, "sub").and_then(|subject| subject.strip_suffix(suffix));
            text(claims, claim).is_some_and(|value| subject == Some(value))
        }
        Sign::SubjectIsNot(claim) => text(claims, claim).is_some_and(|value| string(claims, "sub") != Some(value)),
        Sign::InIssuer(claim) => text(claims, claim).is_some_and(|value| is_segment(value, claims)),
    };
    holds.then(|| describe(sign))
}

/// The condition in words, to follow "because" and "requires that".
#[must_use]
pub fn describe(sign: &Sign) -> String {
    let list = |signs: &[Sign], word: &str| signs.iter().map(part).collect::<Vec<_>>().join(word);
    match *sign {
        Sign::Not(sign) => format!("not {}", part(sign)),
        Sign::HasText(claim) | Sign::HasList(claim) | Sign::HasDate(claim) => format!("{claim} is there"),
        Sign::HasScope(claim) => format!("{claim} has a scope"),
        Sign::NotTrue(claim) => format!("{claim} is not true"),
        Sign::HasWord(claim, words) => format!("{claim} has the word {}", words.join(" or ")),
        Sign::Absent(claim) => format!("{claim} is not there"),
        Sign::OneOf(claim, values) => {
            let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
            format!("{claim} is {}", values.join(" or "))
        }
        Sign::StartsWith(claim, start) => format!("{claim} begins with {start:?}"),
        Sign::EndsWith(claim, end) => format!("{claim} ends with {end:?}"),
        Sign::Contains(claim, part) => format!("{claim} contains {part:?}"),
        Sign::SubjectIs(claim, "") => format!("sub is {claim}"),
        Sign::SubjectIs(claim, suffix) => format!("sub is {claim} with {suffix:?} after it"),
        Sign::SubjectIsNot(claim) => format!("sub is another than {claim}"),
        Sign::InIssuer(claim) => format!("{claim} is a part of the path of iss"),
        Sign::All(signs) => list(signs, " and "),
        Sign::Any(signs) => list(signs, " or "),
    }
}

/// A condition among others.
fn part(sign: &Sign) -> String {
    if matches!(sign, Sign::All(_) | Sign::Any(_)) { format!("({})", describe(sign)) } else { describe(sign) }
}

fn string<'a>(claims: &'a Object, claim: &str) -> Option<&'a str> {
    claims.get(claim).and_then(Value::as_str)
}

/// The scopes in a claim: in a string, separated by spaces, or in an array of strings. Another type has none, and words
/// that no scope can be (RFC 6749 §3.3) are none; neither is `/`, which Entra writes where none was granted.
#[must_use]
pub fn scopes_in(value: &Value) -> Vec<String> {
    let is_scope = |scope: &&str| is_scope(scope) && *scope != "/";
    match value {
        Value::String(text) => text.split(' ').filter(is_scope).map(str::to_owned).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).filter(is_scope).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether a claim is an empty list, in either form.
#[must_use]
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim_ascii().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_one_of(value: &Value, values: &[&str]) -> bool {
    match value {
        Value::String(text) => values.contains(&text.as_str()),
        Value::Number(number) if !number.is_f64() => values.contains(&number.to_string().as_str()),
        Value::Array(items) => items.iter().any(|item| !item.is_array() && is_one_of(item, values)),
        _ => false,
    }
}

/// Whether a value is a whole segment of the path of `iss`.
fn is_segment(value: &str, claims: &Object) -> bool {
    let path = string(claims, "iss").and_then(|iss| iss.split_once("://")).and_then(|(_, rest)| rest.split_once('/'));
    path.is_some_and(|(_, path)| path.split('/').any(|segment| segment == value))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(sign: &Sign, holding: &[Value], others: &[Value]) {
        let holds = |claims: &Value| proof(sign, claims.as_object().unwrap()).is_some();
        for claims in holding {
            assert!(holds(claims), "{sign:?} {claims}");
        }
        for claims in others {
            assert!(!holds(claims), "{sign:?} {claims}");
        }
    }

    #[test]
    fn a_claim_has_something_or_is_absent() {
        let nothing = [json!({}), json!({ "a": null }), json!({ "a": "" }), json!({ "a": [] })];
        let other =
            [json!({ "a": [""] }), json!({ "a": 0 }), json!({ "a": -1 }), json!({ "a": true }), json!({ "a": {} })];
        let (text, list, date) = (json!({ "a": "x y" }), json!({ "a": ["", "x"] }), json!({ "a": 0.5 }));
        let neither = |values: &[&Value]| {
            let values = values.iter().copied().cloned();
            nothing.iter().chain(&other).cloned().chain(values).collect::<Vec<_>>()
        };
        check(&Sign::HasText("a"), slice::from_ref(&text), &neither(&[&list, &date]));
        check(&Sign::HasList("a"), slice::from_ref(&list), &neither(&[&text, &date]));
        check(&Sign::HasDate("a"), slice::from_ref(&date), &neither(&[&text, &list]));
        check(&Sign::HasScope("a"), &[text.clone(), list.clone()], &neither(&[&date, &json!({ "a": " / " })]));
        check(&Sign::Absent("a"), &nothing, &[&other[..], &[text.clone(), list, date]].concat());
        check(&Sign::Not(&Sign::Absent("a")), &other, &nothing);
        check(
            &Sign::NotTrue("a"),
            &[json!({}), json!({ "a": null }), json!({ "a": false })],
            &[json!({ "a": true }), text],
        );
        check(&Sign::HasWord("a", &["x"]), &[json!({ "a": "y x" })], &[json!({ "a": "xy" }), json!({ "a": ["x"] })]);
    }

    #[test]
    fn a_claim_is_one_of_some_values() {
        let sign = Sign::OneOf("a", &["1", "2"]);
        check(
            &sign,
            &[json!({ "a": "1" }), json!({ "a": 2 }), json!({ "a": ["x", "2"] })],
            &[json!({}), json!({ "a": "" }), json!({ "a": "12" }), json!({ "a": 1.5 }), json!({ "a": true })],
        );
        check(
            &Sign::StartsWith("a", "x-"),
            &[json!({ "a": "x-y" })],
            &[json!({ "a": "y-x-" }), json!({ "a": ["x-"] })],
        );
        check(&Sign::EndsWith("a", "-x"), &[json!({ "a": "y-x" })], &[json!({ "a": "-xy" }), json!({ "a": null })]);
        check(&Sign::Contains("a", "|"), &[json!({ "a": "x|y" })], &[json!({ "a": "xy" }), json!({})]);
    }

    #[test]
    fn the_subject_is_compared_as_a_whole() {
        let clients = Sign::SubjectIs("a", "@clients");
        check(
            &clients,
            &[json!({ "sub": "x@clients", "a": "x" })],
            &[json!({ "sub": "x", "a": "x" }), json!({ "sub": "@clients", "a": "" }), json!({ "sub": "@clients" })],
        );
        check(&Sign::SubjectIs("a", ""), &[json!({ "sub": "x", "a": "x" })], &[json!({ "sub": "", "a": "" })]);
        check(
            &Sign::SubjectIsNot("a"),
            &[json!({ "sub": "x", "a": "y" })],
            &[json!({ "sub": "x", "a": "x" }), json!({ "sub": "x" }), json!({ "sub": "x", "a": "" })],
        );
        let iss = "https://login.example/tenant-1/v2.0";
        check(
            &Sign::InIssuer("tid"),
            &[json!({ "iss": iss, "tid": "tenant-1" })],
            &[
                json!({ "iss": iss, "tid": "tenant" }),
                json!({ "iss": iss, "tid": "tenant-1/v2.0" }),
                json!({ "iss": iss, "tid": "login.example" }),
                json!({ "iss": "https://login.example/", "tid": "" }),
                json!({ "iss": iss }),
            ],
        );
    }

    #[test]
    fn the_proof_names_what_was_found() {
        let sign = Sign::All(&[Sign::Any(&[Sign::HasText("a"), Sign::HasText("b")]), Sign::Absent("c")]);
        let claims = json!({ "b": "x" });
        let proof = proof(&sign, claims.as_object().unwrap());
        assert_eq!(proof.as_deref(), Some("b is there and c is not there"));
        assert_eq!(describe(&sign), "(a is there or b is there) and c is not there");
    }
}
