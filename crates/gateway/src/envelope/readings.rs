//! How other readers understand what is sent on: those that keep the first or the last of two members with one name, and
//! those that compare names less exactly. All must find what access was decided by. For tests.

use mcp_edge_protocol::{headers::decode, revision::Era};
use serde_json::value::RawValue;

use super::{
    data::{Envelope, Payload, Target},
    method::Method,
};

/// How a reader finds a member of an object.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Whether it compares names exactly, or as written the same but for case, `_` and `-`.
    is_exact: bool,
    /// Which of several members it keeps.
    keeps_last: bool,
    /// Whether names end at a NUL for it, as those of programs in C.
    ends_at_nul: bool,
}

const READINGS: [Reading; 6] = [
    Reading { is_exact: true, keeps_last: true, ends_at_nul: false },
    Reading { is_exact: true, keeps_last: false, ends_at_nul: false },
    // `encoding/json` of Go.
    Reading { is_exact: false, keeps_last: true, ends_at_nul: false },
    Reading { is_exact: false, keeps_last: false, ends_at_nul: false },
    // cJSON.
    Reading { is_exact: false, keeps_last: false, ends_at_nul: true },
    Reading { is_exact: true, keeps_last: true, ends_at_nul: true },
];

/// Checks that every reader of what is sent on finds the method, the id and the targets that were found here.
///
/// # Panics
/// If one of them does not.
pub fn check(posted: &Payload<'_>) {
    let envelopes = match posted {
        Payload::One(envelope) => std::slice::from_ref(envelope),
        Payload::Batch(envelopes) => envelopes,
        Payload::Dropped => &[],
    };
    for envelope in envelopes {
        for reading in READINGS {
            reading.check(envelope);
        }
    }
}

impl Reading {
    fn check(self, envelope: &Envelope<'_>) {
        let body = &envelope.body;
        let member = |name| self.member(body, name);
        assert_eq!(member("jsonrpc").as_deref(), Some("\"2.0\""), "{self:?}: {body}");
        let Some(method) = envelope.method else {
            assert_eq!(member("method"), None, "{self:?}: {body}");
            assert!(member("id").is_some() && envelope.targets.is_empty(), "{self:?}: {body}");
            assert_ne!(member("result").is_some(), member("error").is_some(), "{self:?}: {body}");
            return;
        };
        assert_eq!(text(member("method")).as_deref(), Some(method.as_str()), "{self:?}: {body}");
        assert_eq!(member("id").as_deref(), envelope.id, "{self:?}: {body}");
        assert_eq!(member("id").is_none(), method.is_notification(), "{self:?}: {body}");
        assert_eq!((member("result"), member("error")), (None, None), "{self:?}: {body}");

        let params = member("params").unwrap_or_else(|| "{}".to_owned());
        assert_eq!(self.targets(method, &params), targets(envelope), "{self:?}: {body}");
        let meta = self.member(&params, "_meta").unwrap_or_else(|| "{}".to_owned());
        let claim = text(self.member(&meta, "io.modelcontextprotocol/protocolVersion"));
        assert!(envelope.era == Era::Legacy || claim.is_some(), "{self:?}: {body}");
        assert!(envelope.era == Era::Legacy || claim.as_deref() == envelope.headers.version, "{self:?}: {body}");
        let name = envelope.headers.name.as_deref().map(|value| decode(value).expect("it is well-formed"));
        let named = method.named_by().and_then(|member| text(self.member(&params, member)));
        assert!(envelope.era == Era::Legacy || name.as_deref() == named.as_deref(), "{self:?}: {body}");
    }

    /// What a request is about, for this reader.
    fn targets(self, method: Method, params: &str) -> Vec<String> {
        let member = |name| text(self.member(params, name)).expect("it was a string");
        let task = || "task".to_owned();
        match method {
            Method::ToolsCall => {
                let mut targets = vec![format!("tool {}", member("name"))];
                targets.extend(self.member(params, "task").map(|_| task()));
                targets
            }
            Method::PromptsGet => vec![format!("prompt {}", member("name"))],
            Method::ResourcesRead | Method::Subscribe | Method::Unsubscribe => {
                vec![format!("resource {}", member("uri"))]
            }
            Method::TasksGet | Method::TasksResult | Method::TasksCancel | Method::TasksUpdate => {
                assert!(!member("taskId").is_empty() || params.contains("\"\""));
                vec![task()]
            }
            Method::TasksList | Method::TaskStatus => vec![task()],
            Method::Complete => {
                let reference = self.member(params, "ref").expect("it was there");
                let member = |name| text(self.member(&reference, name));
                match (member("type").as_deref(), member("name"), member("uri")) {
                    (Some("ref/prompt"), Some(name), None) => vec![format!("prompt {name}")],
                    (Some("ref/resource"), None, Some(uri)) => vec![format!("resource {uri}")],
                    other => panic!("{other:?}"),
                }
            }
            Method::Listen => {
                let filter = self.member(params, "notifications").expect("it was there");
                let uris = self.member(&filter, "resourceSubscriptions").unwrap_or_else(|| "[]".to_owned());
                let uris: Vec<String> = serde_json::from_str(&uris).expect("they were strings");
                let tasks = self.member(&filter, "taskIds").map(|_| task());
                uris.into_iter().map(|uri| format!("resource {uri}")).chain(tasks).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The JSON of a member, if there is one.
    fn member(self, object: &str, name: &str) -> Option<String> {
        let Members(members) = serde_json::from_str(object).unwrap_or_else(|error| panic!("{error}: {object}"));
        let is_meant = |member: &&(String, Box<RawValue>)| {
            let end = member.0.find('\0').filter(|_| self.ends_at_nul).unwrap_or(member.0.len());
            let read = &member.0[..end];
            read == name || !self.is_exact && loose(read) == loose(name)
        };
        let found = if self.keeps_last { members.iter().rfind(is_meant) } else { members.iter().find(is_meant) };
        found.map(|(_, value)| value.get().to_owned())
    }
}

fn targets(envelope: &Envelope<'_>) -> Vec<String> {
    let of = |target: &Target<'_>| match target {
        Target::Tool(name) => format!("tool {name}"),
        Target::Prompt(name) => format!("prompt {name}"),
        Target::Resource(uri) => format!("resource {uri}"),
        Target::Task => "task".to_owned(),
    };
    envelope.targets.iter().map(of).collect()
}

fn text(json: Option<String>) -> Option<String> {
    serde_json::from_str(&json?).ok()
}

/// A name as the least exact reader compares it, by Unicode's tables.
fn loose(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters
        .map(|letter| {
            let mut upper = letter.to_uppercase();
            if upper.len() == 1 { upper.next().unwrap_or(letter) } else { letter }
        })
        .filter_map(|letter| letter.to_lowercase().next())
        .collect()
}

/// The members of an object, each as often as it occurs.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> serde::de::Visitor<'de> for All {
            type Value = Members;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}
