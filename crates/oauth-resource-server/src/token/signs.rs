//! Whether the [signs](Sign) of a provider's profile hold of a token's claims.

use mcp_edge_providers::Sign;
use serde_json::Value;

use super::{
    claims::{Claims, is_empty, scopes},
    numeric_date::numeric_date,
};

/// The claims of a token, to look many names up: a list of a dozen is searched in a third of the time that a map takes.
pub(super) struct Facts<'a> {
    issuer: &'a str,
    subject: &'a str,
    all: Vec<(&'a str, &'a Value)>,
}

impl<'a> Facts<'a> {
    /// Takes the claims of a token.
    pub fn of(claims: &'a Claims) -> Self {
        let all = claims.all.iter().map(|(name, value)| (name.as_str(), value)).collect();
        Self { issuer: &claims.issuer, subject: &claims.subject, all }
    }

    /// Whether the sign holds.
    pub fn holds(&self, sign: &Sign) -> bool {
        match *sign {
            Sign::HasText(name) => !self.text(name).is_empty(),
            Sign::HasList(name) => {
                let is_text = |one: &Value| one.as_str().is_some_and(|one| !one.is_empty());
                self.claim(name).as_array().is_some_and(|all| all.iter().any(is_text))
            }
            Sign::HasDate(name) => numeric_date(self.claim(name)).is_some_and(|date| date > 0.0),
            Sign::HasScope(name) => !scopes(self.claim(name)).is_empty(),
            Sign::Absent(name) => self.claim(name).is_null() || is_empty(self.claim(name)),
            Sign::NotTrue(name) => matches!(self.claim(name), Value::Null | Value::Bool(false)),
            Sign::OneOf(name, values) => match self.claim(name) {
                Value::Array(all) => all.iter().any(|one| is_one_of(one, values)),
                one => is_one_of(one, values),
            },
            Sign::HasWord(name, words) => self.text(name).split(' ').any(|word| words.contains(&word)),
            Sign::StartsWith(name, start) => self.text(name).starts_with(start),
            Sign::EndsWith(name, end) => self.text(name).ends_with(end),
            Sign::Contains(name, part) => self.text(name).contains(part),
            Sign::SubjectIs(name, end) => {
                let text = self.text(name);
                !text.is_empty() && self.subject.strip_suffix(end) == Some(text)
            }
            Sign::SubjectIsNot(name) => !matches!(self.text(name), text if text.is_empty() || text == self.subject),
            Sign::InIssuer(name) => {
                let text = self.text(name);
                !text.is_empty() && self.issuer.split('/').skip(3).any(|part| part == text)
            }
            Sign::Not(sign) => !self.holds(sign),
            Sign::All(signs) => signs.iter().all(|sign| self.holds(sign)),
            Sign::Any(signs) => self.any(signs),
        }
    }

    /// Whether one of the signs holds.
    pub fn any(&self, signs: &[Sign]) -> bool {
        signs.iter().any(|sign| self.holds(sign))
    }

    /// The claim; `null` if there is none.
    fn claim(&self, name: &str) -> &'a Value {
        self.all.iter().find(|(known, _)| *known == name).map_or(&Value::Null, |(_, value)| value)
    }

    /// The claim if it is a string, otherwise an empty text.
    fn text(&self, name: &str) -> &'a str {
        self.claim(name).as_str().unwrap_or_default()
    }
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
        Facts::of(&claims::read(all, &TokenProfile::default()).unwrap()).holds(sign)
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
