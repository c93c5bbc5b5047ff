//! The log: one JSON object for each request, for operators and their tools.
//!
//! It names what an operator needs at night: what was asked, what became of it, why, through which client, which
//! issuer and key, and which cache answered. It never holds a token, nor any claim about the user but `sub`, which can
//! be turned off.

use serde::Serialize;

use crate::{
    mcp::{Revision, Summary, Verdict},
    oauth::{denial::Denial, resource_server::Trail},
};

/// What came from outside is cut to this length: the log is for reading.
const MAX_TEXT: usize = 200;

/// One line of the log.
#[derive(Debug, Default, Clone, Serialize)]
pub struct AccessLog {
    /// Cloudflare's ray id; without one, a number of this isolate's.
    pub request_id: String,
    /// Trace id of `traceparent` (W3C Trace Context), if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// `mcp`, `metadata`, …
    pub route: &'static str,
    /// HTTP method; `other` if it is none of the usual ones.
    pub http_method: &'static str,
    /// HTTP status.
    pub status: u16,
    /// `ok`, `denied` or `failed`.
    pub outcome: &'static str,
    /// The slug of a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What exactly, for the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// MCP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// Name of the tool, prompt, resource or template, as this server declares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Protocol revision that the client speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<&'static str>,
    /// JSON-RPC error code, if the answer is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<i32>,
    /// The client, if verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The user, if verified and wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The issuer, if it is one of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Key id as the token says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Which cache answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'static str>,
    /// The last failure to renew keys, as long as it lasts: also on requests that were served from a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_failure: Option<String>,
    /// The last failure of the key-value store, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_failure: Option<String>,
    /// Duration in milliseconds. In production the clock moves with I/O only, so this is waiting, not computing.
    pub ms: u64,
}

impl AccessLog {
    /// Takes over what authentication found out.
    pub fn note_trail(&mut self, trail: Trail, with_subject: bool) {
        self.client_id = trail.client_id.map(cut);
        self.sub = trail.subject.filter(|_| with_subject).map(cut);
        self.issuer = trail.issuer;
        self.kid = trail.kid.map(cut);
        self.tier = trail.tier;
    }

    /// Takes over what was called and how it ended.
    pub fn note_summary(&mut self, summary: &Summary) {
        self.method = summary.method;
        self.tool = summary.name.as_deref().map(str::to_owned);
        self.revision = summary.revision.map(Revision::as_str);
        self.error_code = match summary.verdict {
            Verdict::Error(code) => Some(code),
            _ => None,
        };
    }

    /// Takes over what does not work, also if the request did not suffer from it.
    pub fn note_failures(&mut self, provider: Option<String>, store: Option<String>) {
        self.provider_failure = provider.map(cut);
        self.store_failure = store.map(cut);
    }

    /// Takes over why a request was denied.
    pub fn note_denial(&mut self, denial: &Denial) {
        self.reason = Some(denial.reason.slug());
        self.detail = denial.detail.clone().map(cut);
    }

    /// Takes over the outcome.
    pub fn note_status(&mut self, status: u16) {
        self.status = status;
        self.outcome = match status {
            ..400 => "ok",
            400..500 => "denied",
            _ => "failed",
        };
    }

    /// The line.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The trace id of a `traceparent` header (W3C Trace Context §3.2), if it is one of version 00: 55 characters.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_well_formed = version == "00"
        && is_hex(trace, 32)
        && trace.bytes().any(|byte| byte != b'0')
        && is_hex(parent, 16)
        && parent.bytes().any(|byte| byte != b'0')
        && is_hex(flags, 2)
        && parts.next().is_none();
    is_well_formed.then_some(trace)
}

/// At most [`MAX_TEXT`] bytes, cut between characters.
fn cut(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_taken_only_if_well_formed() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(good), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and-16-kilobytes-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-\"-x-y",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let line = AccessLog { detail: Some(cut("ä".repeat(500))), ..AccessLog::default() }.to_line();
        assert!(line.len() < 700 && line.contains('…'), "{line}");
    }

    #[test]
    fn the_subject_can_be_kept_out() {
        let trail = Trail { subject: Some("alice".into()), ..Trail::default() };
        let mut log = AccessLog::default();
        log.note_trail(trail.clone(), false);
        assert_eq!(log.sub, None);
        log.note_trail(trail, true);
        assert_eq!(log.sub.as_deref(), Some("alice"));
    }
}
