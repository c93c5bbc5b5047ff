//! Whether the [signs](Sign) of a provider's profile hold of a token's claims.

use mcp_edge_providers::Sign;
use serde_json::Value;

use super::{
    claims::{Claims, is_empty, scopes},
    numeric_date::numeric_date,
};

/// Whether the sign holds.
pub(super) fn holds(sign: &Sign, claims: &Claims) -> bool {
    let claim = |name: &str| claims.all.get(name).unwrap_or(&Value::Null);
    let text = |name: &str| claim(name).as_str().unwrap_or_default();
    match *sign {
        Sign::HasText(name) => !text(name).is_empty(),
        Sign::HasList(name) => claim(name)
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one.as_str().is_some_and(|one| !one.is_empty()))),
        Sign::HasDate(name) => numeric_date(claim(name)).is_some_and(|date| date > 0.0),
        Sign::HasScope(name) => !scopes(claim(name)).is_empty(),
        Sign::Absent(name) => claim(name).is_null() || is_empty(claim(name)),
        Sign::NotTrue(name) => matches!(claim(name), Value::Null | Value::Bool(false)),
        Sign::OneOf(name, values) => match claim(name) {
            Value::Array(all) => all.iter().any(|one| is_one_of(one, values)),
            one => is_one_of(one, values),
        },
        Sign::HasWord(name, words) => text(name).split(' ').any(|word| words.contains(&word)),
        Sign::StartsWith(name, start) => text(name).starts_with(start),
        Sign::EndsWith(name, end) => text(name).ends_with(end),
        Sign::Contains(name, part) => text(name).contains(part),
        Sign::SubjectIs(name, end) => {
            let text = text(name);
            !text.is_empty() && claims.subject.strip_suffix(end) == Some(text)
        }
        Sign::SubjectIsNot(name) => !matches!(text(name), text if text.is_empty() || text == claims.subject),
        Sign::InIssuer(name) => {
            !text(name).is_empty() && claims.issuer.split('/').skip(3).any(|part| part == text(name))
        }
        Sign::Not(sign) => !holds(sign, claims),
        Sign::All(signs) => signs.iter().all(|sign| holds(sign, claims)),
        Sign::Any(signs) => any(signs, claims),
    }
}

/// Whether one of the signs holds.
pub(super) fn any(signs: &[Sign], claims: &Claims) -> bool {
    signs.iter().any(|sign| holds(sign, claims))
}

fn is_one_of(value: &Value, values: &[&str]) -> bool {
    match value {
        Value::String(text) => values.contains(&&**text),
        Value::Number(number) => {
            number.as_u64().is_some_and(|number| values.iter().any(|one| one.parse() == Ok(number)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::token::{claims, profile::TokenProfile};

    fn holds_of(sign: &Sign, changes: &Value) -> bool {
        let mut all = json!({ "iss": "https://login.example/t-1/v2.0", "aud": "a", "sub": "alice", "exp": 9 });
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let Value::Object(all) = all else { unreachable!() };
        holds(sign, &claims::read(all, &TokenProfile::default()).unwrap())
    }

    #[test]
    fn each_sign_holds_of_what_it_says_and_of_nothing_else() {
        let cases: [(Sign, &[Value], &[Value]); 15] = [
            (Sign::HasText("x"), &[json!("a")], &[json!(""), json!(null), json!(1), json!(["a"]), json!(true)]),
            (Sign::HasList("x"), &[json!(["a"]), json!([1, "a"])], &[json!([]), json!([""]), json!([1]), json!("a")]),
            (Sign::HasDate("x"), &[json!(1), json!(1.5)], &[json!(0), json!(-1), json!("1"), json!(1e300)]),
            (Sign::HasScope("x"), &[json!("a b"), json!(["a"])], &[json!(" "), json!([]), json!([1]), json!({"a": 1})]),
            (Sign::Absent("x"), &[json!(null), json!(""), json!(" "), json!([])], &[json!("a"), json!(0), json!({})]),
            (Sign::NotTrue("x"), &[json!(null), json!(false)], &[json!(true), json!("false"), json!(0)]),
            (
                Sign::OneOf("x", &["app", "2"]),
                &[json!("app"), json!(["b", "app"]), json!(2), json!([2])],
                &[json!("App"), json!("ap"), json!(""), json!(2.5), json!(-2), json!([]), json!({ "app": 1 })],
            ),
            (Sign::HasWord("x", &["13"]), &[json!("2 13"), json!("13")], &[json!("113 2"), json!(13), json!(["13"])]),
            (
                Sign::StartsWith("x", "user_"),
                &[json!("user_1")],
                &[json!("User_1"), json!("auser_"), json!(["user_1"])],
            ),
            (Sign::EndsWith("x", "@clients"), &[json!("a@clients")], &[json!("a@clients "), json!("@client")]),
            (Sign::Contains("x", "|"), &[json!("auth0|1"), json!("|")], &[json!("auth0"), json!(["a|b"])]),
            (Sign::SubjectIs("x", ""), &[json!("alice")], &[json!("Alice"), json!(""), json!(null), json!(["alice"])]),
            (Sign::SubjectIs("x", "ce"), &[json!("ali")], &[json!("alice"), json!("")]),
            (Sign::SubjectIsNot("x"), &[json!("agent")], &[json!("alice"), json!(""), json!(null), json!(1)]),
            (Sign::InIssuer("x"), &[json!("t-1"), json!("v2.0")], &[json!("t"), json!("login.example"), json!("")]),
        ];
        for (sign, good, bad) in cases {
            for value in good {
                assert!(holds_of(&sign, &json!({ "x": value })), "{sign:?} {value}");
            }
            for value in bad {
                assert!(!holds_of(&sign, &json!({ "x": value })), "{sign:?} {value}");
            }
            assert_eq!(
                holds_of(&sign, &json!({})),
                matches!(sign, Sign::Absent(_) | Sign::NotTrue(_)),
                "{sign:?} of no claim"
            );
        }
    }

    #[test]
    fn all_any_and_not_are_what_they_are_called() {
        const BOTH: [Sign; 2] = [Sign::HasText("x"), Sign::HasText("y")];
        let (all, any) = (Sign::All(&BOTH), Sign::Any(&BOTH));
        let of =
            |sign: &Sign| [json!({}), json!({ "x": "a" }), json!({ "x": "a", "y": "b" })].map(|it| holds_of(sign, &it));
        assert_eq!((of(&all), of(&any)), ([false, false, true], [false, true, true]));
        assert_eq!(of(&Sign::Not(&BOTH[1])), [true, true, false]);
    }
}
