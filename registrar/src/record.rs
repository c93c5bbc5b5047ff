//! What is remembered of a registration.

use serde::{Deserialize, Serialize};

use crate::{
    policy::{Registrant, hex},
    registration::metadata::ClientMetadata,
    secret::Secret,
};

/// What was registered, by whom, and what opens it. Written by those who manage the client and by nobody else: what is
/// found out about its use is kept apart (see [`store`](crate::store)), so that it cannot undo what they change. The
/// secret is not kept: the provider has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// As registered; `scope` is the ceiling that was granted.
    pub metadata: ClientMetadata,
    /// SHA-256 of the registration access token, in hexadecimal. `None`: only the portal manages it.
    pub token_hash: Option<String>,
    /// Whose it is.
    pub owner: Owner,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// Whose a client is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    /// Nobody's in particular: whoever holds the registration access token.
    Anyone,
    /// Of whoever was given this initial access token; managed with the registration access token all the same.
    InitialToken {
        /// What the operator called it.
        name: String,
        /// Tells it from others of that name.
        #[serde(default)]
        id: String,
    },
    /// A developer's.
    Developer {
        /// `iss`
        issuer: String,
        /// `sub`
        subject: String,
    },
}

impl Owner {
    /// Whose a client becomes.
    #[must_use]
    pub fn of(registrant: &Registrant) -> Self {
        match registrant {
            Registrant::Anyone { .. } => Self::Anyone,
            Registrant::InitialToken { name, id } => Self::InitialToken { name: name.clone(), id: id.clone() },
            Registrant::Developer { issuer, subject } => {
                Self::Developer { issuer: issuer.clone(), subject: subject.clone() }
            }
        }
    }
}

/// What lists show of a client without reading its record. The store allows a kilobyte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// `client_name`
    pub name: String,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// What the scheduled run knows of a client's use. The provider forgets its log after a while; we do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The last sign-in that is known of, seconds since 1970.
    pub used_at: Option<u64>,
    /// When that was last looked up, seconds since 1970.
    pub checked_at: u64,
}

impl Record {
    /// What lists show of it.
    #[must_use]
    pub fn listed(&self) -> Listed {
        Listed { name: self.metadata.client_name.clone(), created_at: self.created_at }
    }

    /// Whether `token` is the registration access token. What is compared are hashes, so the time that it takes tells
    /// nothing about the token.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        self.token_hash.as_deref() == Some(hash_of(token).as_str())
    }

    /// Whether the client is this developer's.
    #[must_use]
    pub fn belongs_to(&self, issuer: &str, subject: &str) -> bool {
        matches!(&self.owner, Owner::Developer { issuer: theirs, subject: whose } if theirs == issuer && whose == subject)
    }

    /// Whether it was made in the portal, by hand.
    #[must_use]
    pub fn is_made_by_hand(&self) -> bool {
        self.token_hash.is_none()
    }
}

/// What is kept of a registration access token.
#[must_use]
pub fn hash_of(token: &str) -> String {
    hex(token)
}

/// Lets scanners of leaked secrets recognize a token, and us what cannot be one.
const TOKEN_PREFIX: &str = "mcpreg_";

/// A new token: 256 random bits.
#[must_use]
pub fn new_token(random: [u8; 32]) -> Secret {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    Secret::new(format!("{TOKEN_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random)))
}

/// Whether a text looks like a token of [`new_token`]: most mistakes do not, and need not be looked up.
#[must_use]
pub fn may_be_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX)
}

/// What a request is recognized by when it comes again: who sent it, and what it asks for after all checks, so that
/// the order of members and what is ignored do not matter. `seed` tells apart what the two do not: the sending program,
/// or the form that a person filled in.
#[must_use]
pub fn fingerprint(registrant: &Registrant, seed: &str, metadata: &ClientMetadata) -> String {
    let (kind, who) = match registrant {
        Registrant::Anyone { network } => ("anyone", network.clone()),
        Registrant::InitialToken { id, .. } => ("token", id.clone()),
        Registrant::Developer { issuer, subject } => ("developer", format!("{}:{issuer}{subject}", issuer.len())),
    };
    let metadata = serde_json::to_string(metadata).unwrap_or_default();
    hex(&format!("{kind} {}:{who} {}:{seed} {metadata}", who.len(), seed.len()))
}

/// Whether a text may be a client id of the provider's: it becomes a part of keys and paths.
#[must_use]
pub fn is_client_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(body: &str) -> ClientMetadata {
        ClientMetadata::parse(body, &[]).unwrap()
    }

    const BODY: &str =
        r#"{"redirect_uris":["http://127.0.0.1/cb"],"client_name":"Agent","token_endpoint_auth_method":"none"}"#;

    #[test]
    fn a_fingerprint_is_of_who_and_what() {
        let anyone = |network: &str| Registrant::Anyone { network: network.to_owned() };
        let token = |id: &str| Registrant::InitialToken { name: "192.0.2.1".into(), id: id.to_owned() };
        let first = fingerprint(&anyone("192.0.2.1"), "agent/1", &metadata(BODY));
        let reordered = r#"{"client_name":"Agent","x":1,"token_endpoint_auth_method":"none","redirect_uris":["http://127.0.0.1/cb"]}"#;
        assert_eq!(first, fingerprint(&anyone("192.0.2.1"), "agent/1", &metadata(reordered)));
        for other in [
            fingerprint(&anyone("192.0.2.2"), "agent/1", &metadata(BODY)),
            fingerprint(&anyone("192.0.2.1"), "agent/2", &metadata(BODY)),
            fingerprint(&anyone("192.0.2.1"), "agent/1", &metadata(&BODY.replace("Agent", "Other"))),
            fingerprint(&token("192.0.2.1"), "agent/1", &metadata(BODY)),
        ] {
            assert_ne!(first, other);
        }
        let of = |registrant| fingerprint(&registrant, "agent/1", &metadata(BODY));
        assert_ne!(of(token("one")), of(token("other")), "two tokens of the same name");
    }

    #[test]
    fn only_the_hash_of_a_token_is_kept() {
        let token = new_token([7; 32]);
        let record = Record {
            metadata: metadata(BODY),
            token_hash: Some(hash_of(token.expose())),
            owner: Owner::Anyone,
            created_at: 1,
        };
        let kept = serde_json::to_string(&record).unwrap();
        assert!(!kept.contains(token.expose()) && !format!("{token:?}").contains("mcpreg"));
        assert_eq!(serde_json::from_str::<Record>(&kept).unwrap(), record);
        assert!(record.is_token(token.expose()) && !record.is_token("mcpreg_x") && !record.is_token(""));
        let by_hand = Record { token_hash: None, ..record };
        assert!(!by_hand.is_token("") && by_hand.is_made_by_hand());
    }

    #[test]
    fn a_client_belongs_to_one_subject_of_one_issuer() {
        let record = Record {
            metadata: metadata(BODY),
            token_hash: None,
            owner: Owner::Developer { issuer: "https://a.example".into(), subject: "alice".into() },
            created_at: 1,
        };
        assert!(record.belongs_to("https://a.example", "alice"));
        assert!(!record.belongs_to("https://b.example", "alice") && !record.belongs_to("https://a.example", "bob"));
        assert!(!Record { owner: Owner::Anyone, ..record }.belongs_to("", ""));
    }

    #[test]
    fn client_ids_are_plain() {
        assert!(is_client_id("nw586goxpxltbp7t0p27k"));
        for bad in ["", "a/b", "../x", "a b", "a%2Fb", &"x".repeat(65), "ä"] {
            assert!(!is_client_id(bad), "{bad}");
        }
    }
}
