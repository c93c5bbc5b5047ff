//! Stored records: what is kept of a registration, and registration access tokens (RFC 7592).

use serde::{Deserialize, Serialize};

use subtle::ConstantTimeEq;

use crate::{client_metadata::ClientMetadata, digest::sha256_hex, policy::Registrant, secret::Secret};

/// A stored registration: the metadata, the owner and the hash of the registration access token. Written once, at the registration: what changes is kept apart (see
/// [`storage`](crate::storage)), so that nobody who has read an old record can restore what has ended. The secret is not
/// kept: the provider has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// As registered, or as changed since; `scope` is the ceiling that was granted.
    pub metadata: ClientMetadata,
    /// SHA-256 of the registration access token, in hexadecimal. `None`: only the portal manages it.
    pub token_hash: Option<String>,
    /// The owner.
    pub owner: Owner,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// The owner of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    /// Anybody: the holder of the registration access token manages it.
    Anyone,
    /// The bearer of this initial access token. The registration access token manages it as well.
    InitialToken {
        /// The operator's name for it.
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
    /// The owner of a client that this registrant makes.
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

/// The metadata of a client's key, which lists show without reading the record. The store allows a kilobyte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// `client_name`
    pub name: String,
    /// Seconds since 1970.
    pub created_at: u64,
}

/// Use of a client, as the scheduled run has read it. It is kept longer than the provider's log. All times are
/// seconds since 1970, if their names say nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The last sign-in that is known of, or the last moment of which nothing is known.
    pub used_at: Option<u64>,
    /// When a run looked at the client last, with any result.
    pub checked_at: u64,
    /// Up to here the log was read, all of it. `None`: since the registration nothing. Earlier versions did not read all
    /// of it, and did not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_until: Option<u64>,
    /// What comes next was too much for one look. It is read from its end to its beginning, and before this moment, in
    /// milliseconds, it was not read yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_until_ms: Option<u64>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_part_ends: Option<u64>,
}

impl Record {
    /// The metadata for its key.
    #[must_use]
    pub fn listed(&self) -> Listed {
        Listed { name: self.metadata.client_name.clone(), created_at: self.created_at }
    }

    /// Whether `token` is the registration access token. Hashes are compared, in constant time.
    #[must_use]
    pub fn is_token(&self, token: &str) -> bool {
        let hash = hash_of(token);
        self.token_hash.as_ref().is_some_and(|kept| kept.as_bytes().ct_eq(hash.as_bytes()).into())
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

/// The hash of a registration access token, which is all that is stored of it.
#[must_use]
pub fn hash_of(token: &str) -> String {
    sha256_hex(token)
}

/// Prefix of registration access tokens, by which scanners of leaked secrets recognize them.
const TOKEN_PREFIX: &str = "mcpreg_";

/// Creates a registration access token from 256 random bits.
#[must_use]
pub fn new_token(random: [u8; 32]) -> Secret {
    use mcp_edge_runtime::base64::URL_SAFE_NO_PAD;
    Secret::new(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
}

/// Whether a text has the form of a registration access token. Any other text need not be looked up.
#[must_use]
pub fn may_be_token(text: &str) -> bool {
    text.starts_with(TOKEN_PREFIX)
}

/// Identifies a submission of the portal's form when it is repeated: the developer, the form's number, and the validated
/// metadata.
#[must_use]
pub fn fingerprint(issuer: &str, subject: &str, form: &str, metadata: &ClientMetadata) -> String {
    let metadata = serde_json::to_string(metadata).unwrap_or_default();
    sha256_hex(&format!("{}:{issuer}{}:{subject}{}:{form}{metadata}", issuer.len(), subject.len(), form.len()))
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
        let first = fingerprint("https://i.example", "alice", "1", &metadata(BODY));
        let reordered = r#"{"client_name":"Agent","x":1,"token_endpoint_auth_method":"none","redirect_uris":["http://127.0.0.1/cb"]}"#;
        assert_eq!(first, fingerprint("https://i.example", "alice", "1", &metadata(reordered)));
        for other in [
            fingerprint("https://j.example", "alice", "1", &metadata(BODY)),
            fingerprint("https://i.example", "bob", "1", &metadata(BODY)),
            fingerprint("https://i.example", "alice", "2", &metadata(BODY)),
            fingerprint("https://i.examplea", "lice", "1", &metadata(BODY)),
            fingerprint("https://i.example", "alice", "1", &metadata(&BODY.replace("Agent", "Other"))),
        ] {
            assert_ne!(first, other);
        }
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
