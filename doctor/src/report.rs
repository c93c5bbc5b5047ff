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
