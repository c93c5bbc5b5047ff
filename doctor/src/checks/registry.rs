//! The MCP registry: the entry that a server publishes, and the proof that its publisher owns the domain.
//!
//! Source: the registry's documentation, schema 2025-12-11.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{directories::require_directories, response::document_problem};
use crate::{
    check::{Check, Section},
    outcome::{CheckResult, Outcome, Skip},
    probe::Probe,
    quote::quote,
    record::{Record, document, string},
};

pub(super) const CHECKS: &[Check] = &[REGISTRY_ENTRY, REGISTRY_PROOF];

/// The longest proof that the registry reads.
const MAX_PROOF_BYTES: usize = 4096;

const REGISTRY_ENTRY: Check = Check {
    slug: "registry_entry",
    section: Section::Directories,
    title: "/server.json is an entry that the MCP registry accepts, for this URL",
    why: "The registry refuses names that are no reversed domain, descriptions of more than 100 characters and ranges of \
          versions, and clients connect to the URL in remotes.",
    fix: "Correct the member in the finding. For mcp-edge the entry is made of REGISTRY_NAME, REGISTRY_VERSION, \
          RESOURCE_DESCRIPTION and RESOURCE.",
    affects: &[],
    run: registry_entry,
};

fn registry_entry(record: &Record) -> CheckResult {
    require_directories(record)?;
    let response = record.require_response(Probe::RegistryEntry)?;
    if response.status == 404 {
        return Err(Skip::new("no /server.json: an entry that is kept elsewhere cannot be seen from outside"));
    }
    let Some(entry) = document(response) else {
        return Ok(Outcome::warning(format!("/server.json: {}", document_problem(response).unwrap_or_default())));
    };
    Ok(match entry_problem(&entry, record.target.as_str()) {
        None => Outcome::ok(format!("an entry for {}", quote(string(&entry, "name").unwrap_or_default()))),
        Some(problem) => Outcome::warning(problem),
    })
}

fn entry_problem(entry: &Map<String, Value>, url: &str) -> Option<String> {
    let name = string(entry, "name").unwrap_or_default();
    if !is_name(name) {
        return Some(format!("name is {}, not a reversed domain, a slash and a name", quote(name)));
    }
    let description = string(entry, "description").unwrap_or_default().chars().count();
    if !(1..=100).contains(&description) {
        return Some(format!("description has {description} characters, not 1 to 100"));
    }
    let version = string(entry, "version").unwrap_or_default();
    if !is_version(version) {
        return Some(format!("version is {}, not one version", quote(version)));
    }
    let remotes = entry.get("remotes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_this = |remote: &Value| remote["type"] == "streamable-http" && remote["url"] == url;
    (!remotes.iter().any(is_this)).then(|| "remotes has no entry of type streamable-http for this URL".to_owned())
}

fn is_name(name: &str) -> bool {
    let Some((domain, server)) = name.split_once('/') else { return false };
    let plain = |part: &str, others: &[u8]| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
    };
    (3..=200).contains(&name.len()) && plain(domain, b".-") && plain(server, b"._-")
}

fn is_version(version: &str) -> bool {
    let is_range = version.contains(['^', '~', '>', '<', '*', ' ', '|'])
        || version.split('.').any(|part| part.eq_ignore_ascii_case("x"));
    (1..=255).contains(&version.len()) && version != "latest" && !is_range
}

const REGISTRY_PROOF: Check = Check {
    slug: "registry_proof",
    section: Section::Directories,
    title: "/.well-known/mcp-registry-auth has the form that the MCP registry reads",
    why: "The registry verifies by it that the publisher owns the domain in the name. It follows no redirect, and reads 4,096 \
          bytes.",
    fix: "Serve v=MCPv1; k=ed25519; p=<public key in base64> as plain text. For mcp-edge it is REGISTRY_AUTH.",
    affects: &[],
    run: registry_proof,
};

fn registry_proof(record: &Record) -> CheckResult {
    require_directories(record)?;
    let response = record.require_response(Probe::RegistryProof)?;
    if response.status == 404 {
        return Err(Skip::new("no /.well-known/mcp-registry-auth: a proof by DNS or GitHub cannot be seen from here"));
    }
    if response.status != 200 {
        return Ok(Outcome::warning(format!("the response is {}", response.summary())));
    }
    let proof = response.text();
    let observed = if is_proof(proof.trim()) && proof.len() <= MAX_PROOF_BYTES {
        return Ok(Outcome::ok(
            "a public key is served; whether you have its private half cannot be seen from outside",
        ));
    } else {
        format!("the body is {}", quote(proof))
    };
    Ok(Outcome::warning(observed))
}

/// An Ed25519 key, or a compressed point on P-384.
fn is_proof(proof: &str) -> bool {
    let length = |prefix: &str| STANDARD.decode(proof.strip_prefix(prefix)?).ok().map(|key| key.len());
    length("v=MCPv1; k=ed25519; p=") == Some(32) || length("v=MCPv1; k=ecdsap384; p=") == Some(49)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        outcome::Verdict::{Ok as Fine, Skipped, Warning},
        testing::{Change, expect},
    };

    #[test]
    fn an_entry_is_what_the_registry_accepts() {
        expect(&REGISTRY_ENTRY, Fine, "com.example/whoami", |_| {});
        for (member, value, observed) in [
            ("name", json!("whoami"), "name is \"whoami\""),
            ("name", json!("com.example/who/ami"), "name is"),
            ("description", json!("x".repeat(101)), "101 characters"),
            ("description", json!(null), "0 characters"),
            ("version", json!("^1.2.3"), "not one version"),
            ("version", json!("1.x"), "not one version"),
            ("version", json!("latest"), "not one version"),
            ("remotes", json!([{ "type": "streamable-http", "url": "https://mcp.example.com/mcp/" }]), "no entry"),
            ("remotes", json!([{ "type": "sse", "url": "https://mcp.example.com/mcp" }]), "no entry"),
        ] {
            let edit = |record: &mut Record| record.edit(Probe::RegistryEntry, |it| it[member] = value);
            expect(&REGISTRY_ENTRY, Warning, observed, edit);
        }
        expect(&REGISTRY_ENTRY, Skipped, "kept elsewhere", |it| it.put(Probe::RegistryEntry, 404, "", ""));
        expect(&REGISTRY_ENTRY, Warning, "for people", |it| it.put(Probe::RegistryEntry, 200, "text/html", "<html>"));
    }

    #[test]
    fn a_proof_is_a_public_key() {
        let put = |status, body: &'static str| {
            move |record: &mut Record| record.put(Probe::RegistryProof, status, "text/plain", body)
        };
        expect(&REGISTRY_PROOF, Fine, "a public key", |_| {});
        expect(&REGISTRY_PROOF, Skipped, "DNS", put(404, ""));
        for (status, body) in
            [(302, ""), (200, ""), (200, "v=MCPv1; k=ed25519; p=AAAA"), (200, "v=MCPv1;k=ed25519;p=11qY")]
        {
            expect(&REGISTRY_PROOF, Warning, "", put(status, body));
        }
    }
}
