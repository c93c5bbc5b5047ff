//! The names of keys in the store.

use crate::digest::sha256_hex;

/// How long a repeated form is recognized. Users press a button again, or reload the response, within minutes.
pub const REPEAT_SECONDS: u64 = 600;

/// `client/<client id>`
#[must_use]
pub fn client_key(client_id: &str) -> String {
    format!("{CLIENTS}{client_id}")
}

/// Beginning of the keys of all clients.
pub const CLIENTS: &str = "client/";

/// `owner/<hash>/`: beginning of the keys of one developer's clients. The hash keeps issuers and subjects apart, and
/// out of lists of keys.
#[must_use]
pub fn owner_prefix(issuer: &str, subject: &str) -> String {
    format!("{OWNERS}{}/", sha256_hex(&format!("{}:{issuer}{subject}", issuer.len())))
}

/// `metadata/<client id>`
#[must_use]
pub fn metadata_key(client_id: &str) -> String {
    format!("{METADATA}{client_id}")
}

/// Beginning of the keys of changed metadata.
pub const METADATA: &str = "metadata/";

/// `form/<fingerprint>`
#[must_use]
pub fn form_key(fingerprint: &str) -> String {
    format!("form/{fingerprint}")
}

/// `usage/<client id>`
#[must_use]
pub fn usage_key(client_id: &str) -> String {
    format!("{USAGES}{client_id}")
}

/// Beginning of the keys of what is known of clients' use.
pub const USAGES: &str = "usage/";

/// `rate/<hash of what is counted>`, for an activity and who is at it.
#[must_use]
pub fn rate_key(activity: &str, who: &str) -> String {
    format!("{RATES}{}", sha256_hex(&format!("{activity} {who}")))
}

/// `initial-token/<hash of the token>`
#[must_use]
pub fn initial_token_key(token: &str) -> String {
    format!("initial-token/{}", sha256_hex(token))
}

/// `initial-use/<hash of the token>/`: beginning of the keys of its uses.
#[must_use]
pub fn initial_use_prefix(token: &str) -> String {
    format!("{INITIAL_USES}{}/", sha256_hex(token))
}

/// Beginning of the keys of all developers' clients.
pub const OWNERS: &str = "owner/";

/// Beginning of the keys of all uses of initial access tokens.
pub const INITIAL_USES: &str = "initial-use/";

/// Beginning of the keys of counts in an hour.
pub const RATES: &str = "rate/";
