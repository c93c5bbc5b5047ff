//! Changes to claims and headers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::support::world::START;

/// A member and its new value; `None` removes it.
pub type Change = (String, Option<Value>);

/// Makes a change.
pub fn set(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None => drop(object.remove(name)),
    }
}

/// Claims that mean something to some provider, or to some standard.
pub const NAMES: [&str; 59] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "azp",
    "cid",
    "appid",
    "clientId",
    "scope",
    "scopes",
    "scp",
    "roles",
    "permissions",
    "cnf",
    "typ",
    "token_use",
    "token_type",
    "tokenName",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "tokenType",
    "events",
    "auth_time",
    "acr",
    "amr",
    "sid",
    "session_state",
    "session_id",
    "gty",
    "idtyp",
    "azpacr",
    "appidacr",
    "oid",
    "tid",
    "ver",
    "uid",
    "role",
    "org_id",
    "organization_id",
    "preferred_username",
    "username",
    "email",
    "email_verified",
    "name",
    "address",
    "clientHost",
    "clientAddress",
    "is_anonymous",
    "act",
    "may_act",
    "cognito:username",
    "acct",
    "xms_cc",
];

/// Values of all types, and some that mean something.
fn values() -> Vec<Value> {
    let mut values: Vec<Value> = [
        "",
        " ",
        "x",
        "a b",
        "openid",
        "access",
        "id",
        "refresh",
        "Bearer",
        "bearer",
        "ID",
        "JWT",
        "at+jwt",
        "DPoP",
        "app",
        "device",
        "user",
        "1",
        "2",
        "1.0",
        "2.0",
        "client-credentials",
        "client_credentials",
        "service-account-x",
        "user_1",
        "client_1",
        "auth0|1",
        "x@clients",
        "x-client_credentials",
        "authenticated",
        "anon",
        "access_token",
        "id_token",
        "notes:read",
        "https://mcp.example.com/mcp",
        "https://mcp.example.com/mcp/",
        "a\tb",
        "a\nb",
        " a  b ",
        "é",
        "\u{0}",
    ]
    .map(Value::from)
    .to_vec();
    values.extend([
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(2),
        json!(-1),
        json!(0.5),
        json!(1.5),
        json!(1.0),
        json!(1e300),
        json!(u64::MAX),
        json!([]),
        json!([""]),
        json!(["x"]),
        json!(["a", 1]),
        json!([1]),
        json!([null]),
        json!([["x"]]),
        json!(["pwd"]),
        json!(["https://mcp.example.com/mcp"]),
        json!(["notes:read", "openid"]),
        json!(["a b"]),
        json!(["1"]),
        json!(["app"]),
        json!({}),
        json!({ "jkt": "x" }),
        json!({ "a": { "b": [] } }),
    ]);
    values
}

/// Each of these claims with every value, without it, and with what it is as an array or in an array.
pub fn of_claims(claims: &Map<String, Value>, names: &BTreeSet<String>) -> Vec<Change> {
    let mut changes = Vec::new();
    for name in names.iter().map(String::as_str) {
        changes.push((name.to_owned(), None));
        if let Some(value) = claims.get(name) {
            for value in [
                json!([value]),
                json!([value, "x"]),
                json!([value, 1]),
                json!([1, value]),
                json!({ "value": value }),
                json!(value.to_string()),
            ] {
                changes.push((name.to_owned(), Some(value)));
            }
            if let Some(text) = value.as_str() {
                for text in [format!("{text} "), format!("{text}/"), text.to_uppercase(), format!("x{text}")] {
                    changes.push((name.to_owned(), Some(text.into())));
                }
            }
        }
        if matches!(name, "exp" | "nbf" | "iat" | "auth_time") {
            for offset in [-3600, -61, -60, -59, -6, -5, -4, -1, 0, 1, 4, 5, 6, 59, 60, 61, 3599, 3600, 3601] {
                let time = i64::try_from(START).expect("a time") + offset;
                changes.push((name.to_owned(), Some(time.into())));
                for fraction in [0.25, 0.75] {
                    changes.push((
                        name.to_owned(),
                        Some(json!(f64::from(u32::try_from(time).expect("a time")) + fraction)),
                    ));
                }
            }
        }
        // Another claim's value: sub as the client, say.
        for other in ["sub", "client_id", "azp", "cid", "appid", "oid"] {
            if let Some(value) = claims.get(other).filter(|_| other != name) {
                changes.push((name.to_owned(), Some(value.clone())));
            }
        }
        changes.extend(values().into_iter().map(|value| (name.to_owned(), Some(value))));
    }
    changes
}

/// Every member of a header with values of all types.
pub fn of_header() -> Vec<Change> {
    const MEMBERS: [&str; 16] = [
        "alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c", "x5t", "iss", "nonce",
        "ver",
    ];
    let own = [
        "none",
        "HS256",
        "RS256",
        "ES256",
        "ES512",
        "Ed25519",
        "eddsa",
        "EdDSA",
        "k",
        "K",
        "AT+JWT",
        "application/at+jwt",
        "application/jwt",
        "APPLICATION/JWT",
        "jwt",
        "logout+jwt",
        "dpop+jwt",
        "text/plain",
        "json",
        "application/json",
        "kb+jwt",
    ];
    let mut changes = Vec::new();
    for member in MEMBERS {
        changes.push((member.to_owned(), None));
        for value in values().into_iter().chain(own.map(Value::from)) {
            changes.push((member.to_owned(), Some(value)));
        }
    }
    changes
}

/// Settings that change what becomes of a token.
pub const SETTINGS: [&[(&str, &str)]; 11] = [
    &[],
    &[],
    &[("ALLOWED_CLIENTS", "x client-1 agent")],
    &[("DENIED_CLIENTS", "x 1"), ("REQUIRED_SCOPES", "notes:read")],
    &[("SCOPE_PREFIX", "https://mcp.example.com/"), ("ALLOWED_CLIENTS", "x 57cbishk4j24pabc1234567890")],
    &[("SCOPE_CLAIMS", "roles scp scope"), ("CLIENT_ID_CLAIMS", "uid azp sub")],
    &[("TOKEN_TYPES", "none jwt at+jwt application/jwt"), ("ORGANIZATION_CLAIM", "sid")],
    &[("CLAIM_SCOPES", "notes:read=email,name a=address x=act"), ("SCOPE_HIERARCHY", "a=email openid=notes:read")],
    &[("USER_BY_SUBJECT", "true")],
    &[("ALLOWED_ORGANIZATIONS", "x user_1 1"), ("FIRST_PARTY_CLIENTS", "x")],
    &[("DENIED_ISSUED_BEFORE", "1794999940"), ("DENIED_KEYS", "x")],
];

/// Numbers that look random and are the same in every run (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).expect("31 bits") % bound
    }

    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
