//! The MCP requests of both eras: handshakes, lists page by page, and `whoami`.

use serde_json::{Map, Value, json};

use super::{Examination, with_token};
use crate::{
    http::{HttpClient, HttpRequest, HttpResponse},
    mcp::{self, Era, List, Session},
    pages::{self, End, Pages},
    probe::Probe,
    token::Token,
};

/// The only tool that is called: it changes nothing.
const WHOAMI: &str = "whoami";

/// How requests of each era are made.
struct Requests {
    url: String,
    token: Option<Token>,
    /// `None` if the server rejects the handshake.
    session: Option<Session>,
}

impl Requests {
    fn authorize(&self, request: HttpRequest) -> HttpRequest {
        match &self.token {
            Some(token) => with_token(request, token.expose()),
            None => request,
        }
    }

    /// A request that follows the handshake. `None` without a session in the legacy era.
    fn request(&self, era: Era, method: &str, params: Map<String, Value>, name: Option<&str>) -> Option<HttpRequest> {
        let request = match era {
            Era::Legacy => mcp::legacy_request(&self.url, self.session.as_ref()?, method, &Value::Object(params)),
            Era::Modern => mcp::modern_request(&self.url, method, params, name),
        };
        Some(self.authorize(request))
    }
}

impl<C: HttpClient> Examination<'_, C> {
    /// MCP requests of both eras: with the operator's token, or without one if the server is open.
    pub(super) fn send_mcp_probes(&mut self) {
        let target = &self.record.target;
        // The token is never sent over an unencrypted connection.
        let is_safe = target.is_https() || target.is_loopback();
        let token = self.record.token.clone().filter(|_| is_safe);
        if token.is_none() && !self.record.is_open() {
            return;
        }
        let mut requests = Requests { url: self.endpoint().to_owned(), token, session: None };
        let url = &requests.url;
        self.send_all(&[
            (Probe::LegacyInitialize, requests.authorize(mcp::initialize(url))),
            (Probe::ModernDiscover, requests.authorize(mcp::modern_request(url, "server/discover", Map::new(), None))),
        ]);
        let initialized = self.record.response(Probe::LegacyInitialize).filter(|response| response.is_success());
        requests.session = initialized.map(Session::from_response);
        if let Some(session) = &requests.session {
            // Servers that keep sessions expect this notification before the next request.
            let notification = requests.authorize(mcp::initialized(&requests.url, session));
            self.send_all(&[(Probe::LegacyInitialized, notification)]);
        }
        self.send_lists(&requests);
        self.call_whoami(&requests);
    }

    /// Requests the lists, each up to its last page, and the stream of the legacy era.
    fn send_lists(&mut self, requests: &Requests) {
        let lists = self.lists(requests.session.is_some());
        let first = |&(era, list): &(Era, List)| {
            Some((pages::probe(era, list, 1), requests.request(era, list.method(), Map::new(), None)?))
        };
        let mut probes: Vec<_> = lists.iter().filter_map(first).collect();
        if let Some(session) = &requests.session {
            let stream = requests.authorize(mcp::open_stream(&requests.url, session));
            probes.push((Probe::LegacyStream, stream));
        }
        // Ends because `Pages` names no cursor after the last page that may be requested.
        while !probes.is_empty() {
            self.send_all(&probes);
            let next = |&(era, list): &(Era, List)| {
                let Pages { count, end: End::Cursor(cursor), .. } = Pages::of(&self.record, era, list)? else {
                    return None;
                };
                let params = Map::from_iter([("cursor".to_owned(), Value::String(cursor))]);
                Some((pages::probe(era, list, count + 1), requests.request(era, list.method(), params, None)?))
            };
            probes = lists.iter().filter_map(next).collect();
        }
    }

    /// The lists to request: the tools in both eras; what else the server announces in one of them, because both come
    /// from the same place.
    fn lists(&self, has_session: bool) -> Vec<(Era, List)> {
        let has_modern = self.record.response(Probe::ModernDiscover).is_some_and(HttpResponse::is_success);
        let mut lists = Vec::new();
        if has_session {
            lists.push((Era::Legacy, List::Tools));
        }
        if has_modern {
            lists.push((Era::Modern, List::Tools));
        }
        let era = if has_session { Era::Legacy } else { Era::Modern };
        let others = List::ALL.into_iter().filter(|list| *list != List::Tools && self.record.announces(*list));
        lists.extend(others.map(|list| (era, list)));
        lists
    }

    fn call_whoami(&mut self, requests: &Requests) {
        let call = |era| {
            let params = Map::from_iter([("name".to_owned(), json!(WHOAMI)), ("arguments".to_owned(), json!({}))]);
            requests.request(era, "tools/call", params, Some(WHOAMI))
        };
        let mut probes = Vec::new();
        for (era, probe) in [(Era::Legacy, Probe::LegacyWhoami), (Era::Modern, Probe::ModernWhoami)] {
            if self.lists_whoami(era)
                && let Some(request) = call(era)
            {
                probes.push((probe, request));
            }
        }
        self.send_all(&probes);
    }

    /// Whether a tool list has a `whoami` without required arguments.
    fn lists_whoami(&self, era: Era) -> bool {
        let Some(Pages { entries, .. }) = Pages::of(&self.record, era, List::Tools) else { return false };
        entries
            .iter()
            .any(|tool| tool["name"] == WHOAMI && tool["inputSchema"]["required"].as_array().is_none_or(Vec::is_empty))
    }
}
