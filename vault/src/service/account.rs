//! The account that was connected: what the service calls it, for its user, who recognizes it; and the id that it has there, which
//! identifies it. A name changes, and so does the way in which it is shown.

use std::time::Duration;

use mcp_edge_oauth::json_members;
use mcp_edge_runtime::{
    ports::{Fetch, HttpRequest, Method, RequestContent},
    secret::Secret,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::requested_key::is_invisible;

/// A user waits.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Profiles have 1 to 5 KB.
const MAX_BYTES: usize = 64 * 1024;

/// The longest name, in characters.
const MAX_CHARACTERS: usize = 100;

/// The longest id, in bytes: a `sub` is not longer (OpenID Connect Core §2).
const MAX_ID_BYTES: usize = 255;

/// An account at a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its name, for its user; empty if the service does not say it.
    pub name: String,
    /// Its id; `None` if the service does not say it.
    pub id: Option<AccountId>,
}

/// What tells an account from others of the same service, as the service writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountId {
    /// The member of a document of the service that says it.
    pub member: String,
    /// What it says.
    pub value: String,
}

impl AccountId {
    /// The id at `member` of a document: text, or a whole number. `None` if there is none, or one that is too long to be kept whole.
    #[must_use]
    pub fn of_member(document: &Map<String, Value>, member: &str) -> Option<Self> {
        let value = match value_at(document, member)? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return None,
        };
        let is_kept = !value.is_empty() && value.len() <= MAX_ID_BYTES;
        is_kept.then(|| Self { member: member.to_owned(), value })
    }

    /// `sub`: no other claim identifies a user (OpenID Connect Core §5.7).
    #[must_use]
    pub fn of_claims(claims: &Map<String, Value>) -> Option<Self> {
        Self::of_member(claims, "sub")
    }

    /// Whether two accounts of a service are the same one. `None`: it is not known, of one of them or of both, or their ids are from
    /// different members.
    #[must_use]
    pub fn is_same(one: Option<&Self>, other: Option<&Self>) -> Option<bool> {
        let (one, other) = (one?, other?);
        (one.member == other.member).then(|| one.value == other.value)
    }
}

/// Claims that say who somebody is, the most telling one first (OpenID Connect Core §5.1).
const CLAIMS: [&str; 3] = ["email", "preferred_username", "name"];

/// Requests a document with an access token, and reads those of its members that are `wanted`.
///
/// # Errors
/// Why there is none, for the operator.
pub async fn request(
    url: &str,
    access_token: &Secret,
    wanted: &dyn Fn(&str) -> bool,
    fetch: &impl Fetch,
) -> Result<Map<String, Value>, String> {
    let authorization = ["Bearer ", access_token.expose()].concat();
    let request = HttpRequest {
        method: Method::GET,
        url,
        authorization: Some(&authorization),
        body: RequestContent::Empty,
        timeout: TIMEOUT,
        max_body: MAX_BYTES,
    };
    let failed = |why: String| format!("{url}: {why}");
    let reply = fetch.fetch(request).await.map_err(|error| failed(error.to_string()))?;
    if reply.status != 200 {
        return Err(failed(format!("status {}", reply.status)));
    }
    json_members::read(reply.body.as_bytes(), wanted).map_err(|error| failed(error.to_string()))
}

/// Whether a member is one that [`of_claims`] or [`subject_of`] reads.
#[must_use]
pub fn is_claim(name: &str) -> bool {
    CLAIMS.contains(&name) || matches!(name, "email_verified" | "sub")
}

/// The name that claims say. An e-mail address counts if it was verified: anybody can give another one's. Beside a name that its
/// user chooses, and that others may have as well, stands `sub`, which nobody else has.
#[must_use]
pub fn of_claims(claims: &Map<String, Value>) -> Option<String> {
    let is_verified = matches!(claims.get("email_verified"), Some(Value::Bool(true)))
        || claims.get("email_verified").and_then(Value::as_str) == Some("true");
    let counts = |claim: &&str| *claim != "email" || is_verified;
    let (claim, name) =
        CLAIMS.into_iter().filter(counts).find_map(|claim| Some((claim, for_display(claims.get(claim)?)?)))?;
    Some(match subject_of(claims).filter(|subject| claim != "email" && *subject != name) {
        Some(subject) => format!("{name} (id {subject})"),
        None => name,
    })
}

/// `sub`.
#[must_use]
pub fn subject_of(claims: &Map<String, Value>) -> Option<String> {
    for_display(claims.get("sub")?)
}

/// The name at `member`: the name of a member, or of members one inside of the other, separated by dots.
#[must_use]
pub fn of_member(document: &Map<String, Value>, member: &str) -> Option<String> {
    for_display(value_at(document, member)?)
}

fn value_at<'a>(document: &'a Map<String, Value>, member: &str) -> Option<&'a Value> {
    if let Some(value) = document.get(member).filter(|value| !value.is_null()) {
        return Some(value);
    }
    let (first, rest) = member.split_once('.')?;
    rest.split('.').try_fold(document.get(first)?, |value, name| value.get(name))
}

/// Whether `name` is the member of a document in which `member` is looked for.
#[must_use]
pub fn is_part_of(member: &str, name: &str) -> bool {
    member == name || member.split_once('.').is_some_and(|(first, _)| first == name)
}

/// A name as it is shown: text, or a whole number; cut off, without what changes text and cannot be seen. A service lets its users
/// choose it.
fn for_display(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    let visible: String = text.chars().filter(|character| !is_invisible(*character)).collect();
    let shown: String = visible.trim().chars().take(MAX_CHARACTERS).collect();
    Some(shown).filter(|shown| !shown.is_empty())
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("no object") };
        members
    }

    #[test]
    fn the_most_telling_claim_counts_and_an_address_only_if_it_was_verified() {
        let all = json!({"sub": "1", "email": "a@x.example", "preferred_username": "alice", "name": "Alice"});
        assert_eq!(of_claims(&map(all.clone())).as_deref(), Some("alice (id 1)"));
        for (verified, name) in [
            (json!(true), "a@x.example"),
            (json!("true"), "a@x.example"),
            (json!(1), "alice (id 1)"),
            (json!(false), "alice (id 1)"),
        ] {
            let mut claims = all.clone();
            claims["email_verified"] = verified;
            assert_eq!(of_claims(&map(claims)).as_deref(), Some(name));
        }
        assert_eq!(of_claims(&map(json!({"name": "Alice", "email": "a@x.example"}))).as_deref(), Some("Alice"));
        assert_eq!(of_claims(&map(json!({"sub": "1", "email": "a@x.example", "name": ["Alice"]}))), None);
        assert_eq!(subject_of(&map(json!({"sub": "1"}))).as_deref(), Some("1"));
        let same = json!({"sub": "alice", "preferred_username": "alice"});
        assert_eq!(of_claims(&map(same)).as_deref(), Some("alice"), "said once");
    }

    #[test]
    fn the_member_is_found_by_its_name_or_its_path() {
        let document = map(json!({"login": "octocat", "id": 1, "data": {"user": {"name": "o"}}, "a.b": "dotted"}));
        for (member, name) in [
            ("login", Some("octocat")),
            ("id", Some("1")),
            ("data.user.name", Some("o")),
            ("a.b", Some("dotted")),
            ("data", None),
            ("data.user", None),
            ("data.none", None),
            ("none", None),
            ("login.x", None),
        ] {
            assert_eq!(of_member(&document, member).as_deref(), name, "{member}");
        }
        assert!(is_part_of("data.user", "data") && is_part_of("a.b", "a.b") && !is_part_of("login", "log"));
    }

    #[test]
    fn ids_are_whole_and_compared_with_those_of_the_same_member_alone() {
        let id = |member: &str, value: Value| AccountId::of_member(&map(json!({ member: value })), member);
        let [one, two] = ["1", "2"].map(|value| id("sub", json!(value)));
        assert_eq!(AccountId::is_same(one.as_ref(), one.clone().as_ref()), Some(true));
        assert_eq!(AccountId::is_same(one.as_ref(), two.as_ref()), Some(false));
        assert_eq!(AccountId::is_same(one.as_ref(), None), None);
        assert_eq!(AccountId::is_same(None, None), None);
        assert_eq!(AccountId::is_same(one.as_ref(), id("login", json!("1")).as_ref()), None, "of another member");
        // What is shown of both is the same.
        let [long, longer] = [200, 201].map(|length| id("sub", json!("x".repeat(length))));
        assert_eq!(AccountId::is_same(long.as_ref(), longer.as_ref()), Some(false));
        for value in [json!(""), json!("x".repeat(256)), json!(-1), json!(null), json!(["1"])] {
            assert_eq!(id("sub", value), None);
        }
        assert_eq!(id("id", json!(7)).map(|id| id.value).as_deref(), Some("7"));
        assert_eq!(AccountId::of_claims(&map(json!({"sub": "1", "name": "a"}))), one);
    }

    #[test]
    fn names_are_cut_off_and_show_what_they_are() {
        let shown = |text: &str| of_member(&map(json!({ "n": text })), "n");
        assert_eq!(shown(" a\n\u{7}b\u{202e}c\u{200b}\u{feff}\u{e0041}\u{3164} ").as_deref(), Some("abc"));
        assert_eq!(shown(&"ä".repeat(500)), Some("ä".repeat(MAX_CHARACTERS)));
        assert_eq!(shown(" \u{202e}\n"), None);
        assert_eq!(shown("<b>"), Some("<b>".to_owned()), "pages escape");
    }
}
