//! Everything that is to be said about one server: the findings, and what they mean for each client.

use crate::{
    checks,
    clients::{Client, Way},
    finding::{Check, Finding, Verdict},
    record::Record,
};

/// A judged record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The URL as it was typed.
    pub url: String,
    /// One for each check, in order.
    pub findings: Vec<Finding>,
    /// One for each client, in order.
    pub outlooks: Vec<Outlook>,
}

/// Whether a client will be able to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Who.
    pub client: Client,
    /// Whether, and how.
    pub connects: Connects,
}

/// What a client's user has to expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connects {
    /// It connects by itself, and gets its client id this way.
    By(Way),
    /// It connects; nobody has to sign in.
    WithoutSignIn,
    /// It connects once it has been given a client id.
    WithClientId,
    /// It connects only from pages that the server lists.
    FromListedPages,
    /// It calls from its vendor's network, and this URL is reached from inside only.
    NotFromOutside,
    /// These checks failed, and it depends on them.
    Not(Vec<Check>),
}

impl Report {
    /// Judges a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let findings = checks::judge(record);
        let outlooks = Client::ALL
            .into_iter()
            .map(|client| Outlook { client, connects: outlook(client, record, &findings) })
            .collect();
        Self { url: record.target.typed().to_owned(), findings, outlooks }
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

fn outlook(client: Client, record: &Record, findings: &[Finding]) -> Connects {
    // The operator's own token says nothing about the clients'.
    let is_in_the_way = |finding: &&Finding| {
        finding.verdict == Verdict::Failure && finding.check != Check::Token && finding.hits.contains(&client)
    };
    let failed: Vec<_> = findings.iter().filter(is_in_the_way).map(|finding| finding.check).collect();
    if !failed.is_empty() {
        return Connects::Not(failed);
    }
    if client.is_hosted() && record.target.is_private() {
        return Connects::NotFromOutside;
    }
    if client == Client::WebPage && checks::refuses_other_origins(record) {
        return Connects::FromListedPages;
    }
    if record.is_open() {
        return Connects::WithoutSignIn;
    }
    let offer = checks::offer(record).unwrap_or_default();
    client.way_in(offer).map_or(Connects::WithClientId, Connects::By)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        record::Probe,
        target::{DiscoveryForm, Target},
        testing::{Change, good},
    };

    fn outlook_of(client: Client, change: impl FnOnce(&mut Record)) -> Connects {
        let mut record = good();
        change(&mut record);
        let report = Report::of(&record);
        report.outlooks.into_iter().find(|outlook| outlook.client == client).unwrap().connects
    }

    fn provider(change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) -> impl FnOnce(&mut Record) {
        move |record| record.edit(Probe::Discovery(DiscoveryForm::OpenIdAppended), change)
    }

    #[test]
    fn each_client_takes_the_way_it_knows() {
        assert_eq!(outlook_of(Client::Claude, |_| {}), Connects::By(Way::MetadataDocument));
        assert_eq!(outlook_of(Client::Cursor, |_| {}), Connects::By(Way::DynamicRegistration));
        let without = provider(|it| drop(it.remove("registration_endpoint")));
        assert_eq!(outlook_of(Client::Cursor, without), Connects::WithClientId);
    }

    #[test]
    fn a_failure_stops_those_whom_it_hits() {
        let part = |record: &mut Record| {
            record
                .edit(Probe::MetadataAtPath, |it| drop(it.insert("resource".into(), json!("https://mcp.example.com"))));
        };
        assert_eq!(outlook_of(Client::VsCode, part), Connects::Not(vec![Check::Resource]));
        assert_eq!(outlook_of(Client::Cursor, part), Connects::By(Way::DynamicRegistration));
    }

    #[test]
    fn the_operators_own_token_stops_nobody() {
        let expired = |record: &mut Record| record.token = Some(crate::testing::token(&json!({ "exp": 1 })));
        assert_eq!(outlook_of(Client::Claude, expired), Connects::By(Way::MetadataDocument));
    }

    #[test]
    fn hosted_clients_do_not_reach_into_private_networks() {
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
            record.exchanges.insert(Probe::MetadataAtPath, crate::exchange::Exchange { url, ..document });
        };
        assert_eq!(outlook_of(Client::ChatGpt, local), Connects::NotFromOutside);
        assert_eq!(outlook_of(Client::Codex, local), Connects::By(Way::MetadataDocument));
    }

    #[test]
    fn pages_that_are_refused_by_choice_are_no_failure() {
        let refused = |record: &mut Record| record.put(Probe::FromOtherOrigin, 403, "application/json", "{}");
        assert_eq!(outlook_of(Client::WebPage, refused), Connects::FromListedPages);
    }

    #[test]
    fn the_worst_finding_decides() {
        let verdict = |change: fn(&mut Record)| {
            let mut record = good();
            change(&mut record);
            Report::of(&record).verdict()
        };
        assert_eq!(verdict(|_| {}), Verdict::Ok);
        assert_eq!(verdict(|record| record.put(Probe::MetadataAtRoot, 404, "", "")), Verdict::Warning);
        assert_eq!(verdict(|record| record.put(Probe::Keys, 500, "", "")), Verdict::Failure);
    }
}
