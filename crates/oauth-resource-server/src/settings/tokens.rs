//! Opaque tokens, and the tokens that the operator denies.

use mcp_edge_runtime::settings::Reader;

use crate::{
    client_policy::ClientList,
    token::{
        denied::{DeniedTokens, parse_time},
        opaque::{AcceptedClients, CheckMethod, OpaquePolicy},
    },
};

/// How long a positive answer about an opaque token is used unless set: this is how long a revoked token lives on.
pub const OPAQUE_SECONDS: u64 = 30;

/// A longer use would make revocation meaningless.
const MAX_OPAQUE_SECONDS: u64 = 600;

/// How long a negative answer about an opaque token is used: long enough to stop a loop, short enough to recover.
pub const OPAQUE_NEGATIVE_SECONDS: u64 = 10;

/// Reads `DENIED_KEYS` and `DENIED_ISSUED_BEFORE`.
pub(super) fn denied(reader: &mut Reader<'_>) -> DeniedTokens {
    DeniedTokens { keys: denied_keys(reader), issued_before: denied_issued_before(reader) }
}

/// A list that was written otherwise would deny nothing.
fn denied_keys(reader: &mut Reader<'_>) -> Vec<String> {
    let keys = reader.words("DENIED_KEYS");
    if let Some(bad) = keys.iter().find(|key| key.contains([',', '"', '[', ']'])) {
        reader.wrong_entry("DENIED_KEYS", bad, "must be one key id or thumbprint: separate several by spaces");
    }
    keys
}

/// A point in time, in seconds since 1970; 0 if it is not set.
fn denied_issued_before(reader: &mut Reader<'_>) -> u64 {
    let Some(text) = reader.text("DENIED_ISSUED_BEFORE") else { return 0 };
    parse_time(&text).unwrap_or_else(|| {
        let problem = "must be a time in UTC such as 2026-11-25T20:00:00Z, or seconds since 1970";
        reader.wrong_value("DENIED_ISSUED_BEFORE", &text, problem);
        0
    })
}

/// Reads `OPAQUE_TOKEN_*` and `INTROSPECTION_*`.
pub(super) fn opaque(reader: &mut Reader<'_>) -> Option<OpaquePolicy> {
    let clients = reader.text("OPAQUE_TOKEN_CLIENTS")?;
    let clients =
        if clients == "*" { AcceptedClients::Any } else { AcceptedClients::Listed(ClientList::parse(&clients)) };
    let check = reader.text("OPAQUE_TOKEN_CHECK");
    let client_secret = reader.secret("INTROSPECTION_CLIENT_SECRET");
    let credentials = reader.text("INTROSPECTION_CLIENT_ID").zip(client_secret);
    let method = match (check.as_deref().unwrap_or("introspection"), credentials) {
        ("introspection", Some((client_id, client_secret))) => {
            Some(CheckMethod::Introspection { client_id, client_secret })
        }
        ("introspection", None) => {
            reader.error(
                "OPAQUE_TOKEN_CLIENTS needs the secrets INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET: set \
                 them with `wrangler secret put`",
            );
            None
        }
        ("userinfo", _) if clients == AcceptedClients::Any => Some(CheckMethod::Userinfo),
        ("userinfo", _) => {
            reader.error(
                "OPAQUE_TOKEN_CHECK = \"userinfo\" cannot tell whose token it is: it needs OPAQUE_TOKEN_CLIENTS = \"*\", \
                 which accepts the tokens of any client of the tenant",
            );
            None
        }
        (other, _) => {
            reader.wrong_value("OPAQUE_TOKEN_CHECK", other, "must be \"introspection\" or \"userinfo\"");
            None
        }
    };
    let positive_ttl_seconds = match reader.text("OPAQUE_TOKEN_SECONDS").map(|text| (text.parse::<u64>(), text)) {
        None => OPAQUE_SECONDS,
        Some((Ok(seconds), _)) if seconds <= MAX_OPAQUE_SECONDS => seconds,
        Some((_, text)) => {
            reader.error(format!(
                "OPAQUE_TOKEN_SECONDS = {text:?} must be a whole number of seconds up to {MAX_OPAQUE_SECONDS}"
            ));
            OPAQUE_SECONDS
        }
    };
    Some(OpaquePolicy { clients, method: method?, positive_ttl_seconds, negative_ttl_seconds: OPAQUE_NEGATIVE_SECONDS })
}
