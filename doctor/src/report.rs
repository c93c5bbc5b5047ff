//! The report on one server: the findings, and whether each client can connect.

use crate::{
    check::Check,
    checks,
    clients::{Client, RegistrationMethod},
    finding::Finding,
    outcome::Verdict,
    record::Record,
};

/// The findings about one server, and whether each client can connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The URL as the operator entered it.
    pub url: String,
    /// One for each check, in order.
    pub findings: Vec<Finding>,
    /// One for each client, in order.
    pub clients: Vec<ClientReport>,
}

/// Whether a client can connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientReport {
    /// The client.
    pub client: Client,
    /// Whether and how it can connect.
    pub connectivity: Connectivity,
}

/// Whether and how a client can connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connectivity {
    /// It connects, and gets its client ID by this method.
    Registers(RegistrationMethod),
    /// It connects without sign-in.
    WithoutSignIn,
    /// It connects with a client ID that the operator created.
    WithClientId,
    /// It connects from pages of the origins that the server allows.
    FromAllowedOrigins,
    /// It cannot connect, because its requests come from the internet and the URL is in a private network.
    PrivateNetwork,
    /// It cannot connect, because these checks failed.
    Blocked(Vec<&'static Check>),
}

impl Report {
    /// Creates the report on a record.
    #[must_use]
    pub fn new(record: &Record) -> Self {
        let findings = checks::run(record);
        let clients = Client::ALL
            .into_iter()
            .map(|client| ClientReport { client, connectivity: connectivity(client, record, &findings) })
            .collect();
        Self { url: record.target.as_str().to_owned(), findings, clients }
    }

    /// How many findings have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// The worst verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Skipped)
    }
}

fn connectivity(client: Client, record: &Record, findings: &[Finding]) -> Connectivity {
    // A problem with the operator's own token does not affect clients, which get tokens themselves.
    let blocks = |finding: &&Finding| {
        finding.verdict == Verdict::Failure && *finding.check != checks::TOKEN && finding.affected.contains(&client)
    };
    let failed: Vec<_> = findings.iter().filter(blocks).map(|finding| finding.check).collect();
    if !failed.is_empty() {
        return Connectivity::Blocked(failed);
    }
    if client.is_hosted() && record.target.is_private() {
        return Connectivity::PrivateNetwork;
    }
    if client == Client::WebPage && checks::refuses_other_origins(record) {
        return Connectivity::FromAllowedOrigins;
    }
    if record.is_open() {
        return Connectivity::WithoutSignIn;
    }
    let support = checks::registration_support(record).unwrap_or_default();
    client.registration_method(support).map_or(Connectivity::WithClientId, Connectivity::Registers)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        http::Exchange,
        probe::Probe,
        target::{DiscoveryForm, Target},
        testing::{self, Change, good},
    };

    fn connectivity_of(client: Client, change: impl FnOnce(&mut Record)) -> Connectivity {
        let mut record = good();
        change(&mut record);
        let report = Report::new(&record);
        report.clients.into_iter().find(|it| it.client == client).unwrap().connectivity
    }

    fn check(slug: &str) -> &'static Check {
        checks::all().find(|check| check.slug == slug).unwrap()
    }

    fn provider(change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) -> impl FnOnce(&mut Record) {
        move |record| record.edit(Probe::Discovery(DiscoveryForm::OpenIdAppended), change)
    }

    #[test]
    fn each_client_uses_a_registration_method_that_it_supports() {
        assert_eq!(
            connectivity_of(Client::Claude, |_| {}),
            Connectivity::Registers(RegistrationMethod::ClientIdMetadataDocument)
        );
        assert_eq!(
            connectivity_of(Client::Cursor, |_| {}),
            Connectivity::Registers(RegistrationMethod::DynamicRegistration)
        );
        let without = provider(|it| drop(it.remove("registration_endpoint")));
        assert_eq!(connectivity_of(Client::Cursor, without), Connectivity::WithClientId);
    }

    #[test]
    fn a_failure_blocks_the_affected_clients() {
        let part = |record: &mut Record| {
            record
                .edit(Probe::MetadataAtPath, |it| drop(it.insert("resource".into(), json!("https://mcp.example.com"))));
        };
        assert_eq!(connectivity_of(Client::VsCode, part), Connectivity::Blocked(vec![check("resource")]));
        assert_eq!(
            connectivity_of(Client::Cursor, part),
            Connectivity::Registers(RegistrationMethod::DynamicRegistration)
        );
    }

    #[test]
    fn the_operators_own_token_blocks_no_client() {
        let expired = |record: &mut Record| record.token = Some(testing::token(&json!({ "exp": 1 })));
        assert_eq!(
            connectivity_of(Client::Claude, expired),
            Connectivity::Registers(RegistrationMethod::ClientIdMetadataDocument)
        );
    }

    #[test]
    fn hosted_clients_cannot_reach_private_networks() {
        let here = |record: &mut Record| record.target = Target::parse("https://10.0.0.7/mcp").unwrap();
        let local = |record: &mut Record| {
            here(record);
            for probe in [Probe::MetadataAtPath, Probe::MetadataAtRoot] {
                record.edit(probe, |it| drop(it.insert("resource".into(), json!("https://10.0.0.7/mcp"))));
            }
            let challenge = "Bearer resource_metadata=\"https://10.0.0.7/.well-known/oauth-protected-resource/mcp\"";
            record.change(Probe::Initialize, |it| it.set("www-authenticate", Some(challenge)));
            let document = record.exchanges[&Probe::MetadataAtPath].clone();
            let url = "https://10.0.0.7/.well-known/oauth-protected-resource/mcp".to_owned();
            record.exchanges.insert(Probe::MetadataAtPath, Exchange { url, ..document });
        };
        assert_eq!(connectivity_of(Client::ChatGpt, local), Connectivity::PrivateNetwork);
        assert_eq!(
            connectivity_of(Client::Codex, local),
            Connectivity::Registers(RegistrationMethod::ClientIdMetadataDocument)
        );
    }

    #[test]
    fn unlisted_origins_are_not_a_failure() {
        let rejected = |record: &mut Record| record.put(Probe::FromOtherOrigin, 403, "application/json", "{}");
        assert_eq!(connectivity_of(Client::WebPage, rejected), Connectivity::FromAllowedOrigins);
    }

    #[test]
    fn the_worst_finding_decides() {
        let verdict = |change: fn(&mut Record)| {
            let mut record = good();
            change(&mut record);
            Report::new(&record).verdict()
        };
        assert_eq!(verdict(|_| {}), Verdict::Ok);
        assert_eq!(verdict(|record| record.put(Probe::MetadataAtRoot, 404, "", "")), Verdict::Warning);
        assert_eq!(verdict(|record| record.put(Probe::Keys, 500, "", "")), Verdict::Failure);
    }
}
