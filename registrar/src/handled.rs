//! A response together with what the access log says of it.

use mcp_edge_oauth::{denial::Denial, resource_server::AuthTrace};
use mcp_edge_runtime::{http::Response, log::LogRecord};

/// A response and what the log says of its request.
#[derive(Debug)]
pub struct Handled {
    /// For the client.
    pub response: Response,
    /// For the operator.
    pub findings: Findings,
}

impl From<Response> for Handled {
    fn from(response: Response) -> Self {
        Self { response, findings: Findings::default() }
    }
}

impl Handled {
    /// Adds the client that the request is about.
    #[must_use]
    pub fn about(mut self, client_id: &str) -> Self {
        self.findings.client_id = Some(client_id.to_owned());
        self
    }
}

/// Facts about a request for the log.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What verification of an access token found out.
    pub trace: Option<AuthTrace>,
    /// Why the request was denied.
    pub denial: Option<Denial>,
    /// Why it failed otherwise.
    pub detail: Option<String>,
    /// The client that it is about.
    pub client_id: Option<String>,
    /// The developer who is signed in.
    pub subject: Option<String>,
}

impl Findings {
    /// The findings about a denied request.
    #[must_use]
    pub fn of_denial(denial: Denial) -> Self {
        Self { denial: Some(denial), ..Self::default() }
    }

    /// The record of the request for the log, with subjects only if the operator wants them there.
    #[must_use]
    pub fn into_record(self, route: &'static str, with_subject: bool) -> LogRecord {
        let Self { trace, denial, detail, client_id, subject } = self;
        let mut record = LogRecord::of_route(route);
        let trace = trace.unwrap_or_default();
        let trace = AuthTrace { client_id: client_id.or(trace.client_id), subject: subject.or(trace.subject), ..trace };
        trace.add_to(&mut record, with_subject);
        match denial {
            Some(denial) => denial.add_to(&mut record),
            None => record.maybe_cut("detail", detail),
        }
        record
    }
}
