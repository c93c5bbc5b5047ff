//! A request below `/account`, and what becomes of it.

use mcp_edge_runtime::{
    app,
    http::{RequestHead, Response},
    log::LogRecord,
};
use mcp_edge_sign_in::session::{Session, Sessions};

use crate::{
    connection::settings::Connection,
    deployment::{Deployment, Owner},
    pages::Pages,
    sign_in::pending::PendingCookies,
};

/// A request with everything around it. Who the user is, is known from the cookie of the session and from nothing else.
pub struct Visit<'a, P> {
    /// Method, path, query and the headers that are read.
    pub head: &'a RequestHead<'a>,
    /// Seconds since 1970.
    pub now: u64,
    /// What serves all requests.
    pub deployment: &'a Deployment<P>,
    /// The pages.
    pub pages: &'a Pages,
    /// Sessions in cookies.
    pub sessions: &'a Sessions,
    /// Round trips in cookies.
    pub pending: &'a PendingCookies,
    /// The session, if there is one.
    pub session: Option<Session>,
}

impl<'a, P> Visit<'a, P> {
    /// The connections that users connect accounts for.
    pub fn connections(&self) -> impl Iterator<Item = &'a Connection> + use<'a, P> {
        self.deployment.settings.connections.of_accounts().map(|(connection, _)| connection)
    }

    /// The one of these with this name.
    #[must_use]
    pub fn connection(&self, name: &str) -> Option<&'a Connection> {
        self.connections().find(|connection| connection.name == name)
    }
}

/// Whose session it is.
#[must_use]
pub fn owner_of(session: &Session) -> Owner {
    Owner { issuer: session.issuer.clone(), subject: session.subject.clone() }
}

/// A response, and what the log says of its request.
#[derive(Debug)]
pub struct Outcome {
    /// For the browser or the program.
    pub response: Response,
    /// Why it failed, for the operator; without secrets.
    pub detail: Option<String>,
    /// The key that it is about.
    pub key_id: Option<String>,
    /// The connection that it is about.
    pub connection: Option<String>,
    /// The user who is signed in.
    pub subject: Option<String>,
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Self {
        Self { response, detail: None, key_id: None, connection: None, subject: None }
    }
}

impl Outcome {
    /// Adds why it failed.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the key that it is about.
    #[must_use]
    pub fn about(mut self, id: &str) -> Self {
        self.key_id = Some(id.to_owned());
        self
    }

    /// Adds the name of the connection that it is about.
    #[must_use]
    pub fn about_connection(mut self, name: &str) -> Self {
        self.connection = Some(name.to_owned());
        self
    }

    /// Adds a cookie.
    #[must_use]
    pub fn with_cookie(mut self, cookie: String) -> Self {
        self.response.headers.push(("set-cookie", cookie.into()));
        self
    }

    /// The response with its record; the subject only if the operator wants it in the log.
    #[must_use]
    pub fn into_handled(self, with_subject: bool) -> app::Handled {
        let mut record = LogRecord::of_route("account");
        record.maybe_cut("sub", self.subject.filter(|_| with_subject));
        record.maybe_cut("key", self.key_id);
        record.maybe_cut("connection", self.connection);
        record.maybe_cut("detail", self.detail);
        app::Handled { response: self.response, record }
    }
}
