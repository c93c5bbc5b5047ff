//! An entry in the MCP registry (schema 2025-12-11): name, version and proof, and their validation.
//!
//! The settings are validated when they are read, so that errors are in the log before the registry refuses the entry.

use mcp_edge_runtime::base64::STANDARD;

/// The limit of the schema for title and description, in characters.
pub const MAX_TEXT_CHARACTERS: usize = 100;

/// The limit of the schema for a version.
const MAX_VERSION_BYTES: usize = 255;

/// How much the registry reads of a proof.
const MAX_PROOF_BYTES: usize = 4096;

/// The entry, as far as it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryEntry {
    /// The server's name in the registry.
    pub name: ServerName,
    /// A description of one sentence.
    pub description: String,
    /// A version to list instead of the program's own: the registry accepts each version once.
    pub version: Option<String>,
}

/// A name such as `com.example/whoami`: a reversed domain, and the server's name in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerName(String);

impl ServerName {
    /// Parses a name: 3 to 200 characters, `^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let consists_of = |part: &str, punctuation: &[u8]| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || punctuation.contains(&byte))
        };
        let (namespace, name) = text.split_once('/')?;
        let is_name = (3..=200).contains(&text.len()) && consists_of(namespace, b".-") && consists_of(name, b"._-");
        is_name.then(|| Self(text.to_owned()))
    }

    /// Returns the name as it was set.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name in a catalogue: `urn:air:example.com:mcp:whoami`, with the domain in its usual order.
    #[must_use]
    pub fn urn(&self) -> String {
        let (namespace, name) = self.0.split_once('/').unwrap_or_default();
        let domain = namespace.rsplit('.').collect::<Vec<_>>().join(".");
        format!("urn:air:{domain}:mcp:{name}")
    }
}

/// Returns whether `version` is a single version: no range (`^1.2`, `1.x`, `>=1`), and not `latest`.
#[must_use]
pub fn is_version(version: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
    (1..=MAX_VERSION_BYTES).contains(&version.len())
        && version.bytes().all(plain)
        && version != "latest"
        && !version.split('.').any(|part| part.eq_ignore_ascii_case("x"))
}

/// Returns whether `proof` has the form that the registry expects at `/.well-known/mcp-registry-auth`:
/// `v=MCPv1; k=ed25519; p=…` with the 32 bytes of the key in base64, or `k=ecdsap384` with the 49 of a compressed point.
#[must_use]
pub fn is_proof(proof: &str) -> bool {
    let key = |prefix: &str| STANDARD.decode(proof.strip_prefix(prefix)?);
    proof.len() <= MAX_PROOF_BYTES
        && (key("v=MCPv1; k=ed25519; p=").is_some_and(|key| key.len() == 32)
            || key("v=MCPv1; k=ecdsap384; p=").is_some_and(|key| key.len() == 49 && matches!(key[0], 2 | 3)))
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_reversed_domain_and_a_name() {
        for (name, urn) in [
            ("com.example/whoami", "urn:air:example.com:mcp:whoami"),
            ("com.example.mcp/who_am-i.2", "urn:air:mcp.example.com:mcp:who_am-i.2"),
            ("a/b", "urn:air:a:mcp:b"),
        ] {
            let parsed = ServerName::parse(name).unwrap();
            assert_eq!((parsed.as_str(), parsed.urn().as_str()), (name, urn));
        }
        let long = format!("com.example/{}", "x".repeat(200));
        for name in
            ["", "/", "a/", "/b", "whoami", "com.example/who/ami", "com.example/who ami", "com_x/a", "ä/b", &long]
        {
            assert_eq!(ServerName::parse(name), None, "{name}");
        }
        assert!(ServerName::parse(&long[..200]).is_some());
    }

    #[test]
    fn ranges_are_not_versions() {
        for version in ["1.0.0", "2026.11.22", "1.0.0-rc.1+build-x", "v1", "1"] {
            assert!(is_version(version), "{version}");
        }
        for version in
            ["", "latest", "^1.2.3", "~1.2", ">=1.0", "1.x", "1.X.0", "1.*", "1 - 2", "1.0 ", &"1".repeat(256)]
        {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn a_proof_is_a_public_key_of_the_right_length() {
        let proof = |algorithm: &str, key: &[u8]| format!("v=MCPv1; k={algorithm}; p={}", STANDARD.encode(key));
        let point = |first: u8| [vec![first], vec![7; 48]].concat();
        assert!(is_proof(&proof("ed25519", &[7; 32])));
        assert!(is_proof(&proof("ecdsap384", &point(2))) && is_proof(&proof("ecdsap384", &point(3))));
        for bad in [
            proof("ed25519", &[7; 31]),
            // A private key: seed and public key.
            proof("ed25519", &[7; 64]),
            proof("ecdsap384", &point(4)),
            proof("ecdsap384", &[7; 32]),
            proof("rsa", &[7; 32]),
            proof("ed25519", &[7; 32]).replace("; ", ";"),
            proof("ed25519", &[7; 32]).replace("MCPv1", "MCPv2"),
            proof("ed25519", &[7; 32]) + "\n",
            "v=MCPv1; k=ed25519; p=".to_owned(),
            "v=MCPv1; k=ed25519; p=not base64".to_owned(),
            String::new(),
        ] {
            assert!(!is_proof(&bad), "{bad}");
        }
    }
}
