//! A response together with what the access log says of it.

use mcp_edge::{http::Response, log::AccessLog, oauth::denial::Denial, oauth::resource_server::Trail};

/// A response and its log record.
#[derive(Debug)]
pub struct Handled {
    /// For the client.
    pub response: Response,
    /// For the operator.
    pub log: LogRecord,
}

impl From<Response> for Handled {
    fn from(response: Response) -> Self {
        Self { response, log: LogRecord::default() }
    }
}

impl Handled {
    /// Adds the client that the request is about.
    #[must_use]
    pub fn about(mut self, client_id: &str) -> Self {
        self.log.client_id = Some(client_id.to_owned());
        self
    }
}

/// What the access log says of a request beside its method, status and duration.
#[derive(Debug, Clone, Default)]
pub struct LogRecord {
    /// What verification of an access token found out.
    pub trail: Option<Trail>,
    /// Why the request was denied.
    pub denial: Option<Denial>,
    /// Why it failed otherwise.
    pub detail: Option<String>,
    /// The client that it is about.
    pub client_id: Option<String>,
    /// The developer who is signed in.
    pub subject: Option<String>,
}

impl LogRecord {
    /// The record of a denied request.
    #[must_use]
    pub fn of_denial(denial: Denial) -> Self {
        Self { denial: Some(denial), ..Self::default() }
    }

    /// Writes the record into the line of the log, subjects only `with_subject`.
    pub fn write_to(self, log: &mut AccessLog, with_subject: bool) {
        let Self { trail, denial, detail, client_id, subject } = self;
        if let Some(trail) = trail {
            log.note_trail(trail, with_subject);
        }
        if let Some(denial) = denial {
            log.note_denial(&denial);
        }
        log.detail = detail.or(log.detail.take());
        log.client_id = client_id.or(log.client_id.take());
        log.sub = subject.filter(|_| with_subject).or(log.sub.take());
    }
}
