//! The MCP requests of both eras: handshakes, lists page by page, and `whoami`.

use serde_json::{Map, Value, json};

use super::{Examination, bearer};
use crate::{
    http::{HttpClient, HttpRequest},
    mcp::{self, Era, List, Session},
    pages::{self, End, Pages},
    probe::Probe,
    record::needs_connection,
};

/// The only tool that is called: it changes nothing.
const WHOAMI: &str = "whoami";

/// How requests of each era are made.
pub(super) struct Requests {
    url: String,
    /// The value of the `Authorization` header.
    authorization: Option<String>,
    /// `None` without a result of `initialize`.
    session: Option<Session>,
}

/// What lists of tools lead to.
pub(super) struct Listed {
    /// The eras whose list has a `whoami` without required arguments.
    with_whoami: Vec<Era>,
    /// Whether a tool needs an account of another service.
    needs_connections: bool,
}

impl Requests {
    /// Requests to this URL, with this value of the `Authorization` header.
    pub(super) const fn new(url: String, authorization: Option<String>) -> Self {
        Self { url, authorization, session: None }
    }

    pub(super) fn authorize(&self, request: HttpRequest) -> HttpRequest {
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.clone()),
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
        let authorization = token.map(|token| bearer(token.expose()));
        let mut requests = Requests::new(self.endpoint().to_owned(), authorization);
        self.send_handshakes(&mut requests);
        if let Some(session) = &requests.session {
            let stream = requests.authorize(mcp::open_stream(&requests.url, session));
            self.send_all(&[(Probe::LegacyStream, stream)]);
        }
        let listed = self.send_lists(&requests);
        if listed.needs_connections {
            // A browser's request, without the token.
            let page = HttpRequest::get(self.record.target.connections_url()).header("accept", "text/html");
            self.send_all(&[(Probe::Connections, page)]);
        }
        self.call_whoami(&requests, &listed.with_whoami);
    }

    /// The first requests of both eras.
    pub(super) fn send_handshakes(&mut self, requests: &mut Requests) {
        let url = &requests.url;
        self.send_all(&[
            (Probe::LegacyInitialize, requests.authorize(mcp::initialize(url))),
            (Probe::ModernDiscover, requests.authorize(mcp::modern_request(url, "server/discover", Map::new(), None))),
        ]);
        let initialized = self.record.response(Probe::LegacyInitialize);
        let initialized = initialized.filter(|_| self.record.handshake(Era::Legacy).is_some());
        requests.session = initialized.map(Session::from_response);
        if let Some(session) = &requests.session {
            // Servers that keep sessions expect this notification before the next request.
            let notification = requests.authorize(mcp::initialized(&requests.url, session));
            self.send_all(&[(Probe::LegacyInitialized, notification)]);
        }
    }

    /// Requests the lists, each up to its last page. Returns what else there is to ask.
    pub(super) fn send_lists(&mut self, requests: &Requests) -> Listed {
        let lists = self.lists();
        let first = |&(era, list): &(Era, List)| {
            Some((pages::probe(era, list, 1), requests.request(era, list.method(), Map::new(), None)?))
        };
        let probes: Vec<_> = lists.iter().filter_map(first).collect();
        self.send_all(&probes);
        let read = |(era, list)| Some((era, list, Pages::of(&self.record.exchanges, era, list)?));
        let mut all: Vec<_> = lists.into_iter().filter_map(read).collect();
        // Ends because `Pages` names no cursor after the last page that may be requested.
        loop {
            let next = |(era, list, pages): &(Era, List, Pages)| {
                let End::Cursor(cursor) = &pages.end else { return None };
                let params = Map::from_iter([("cursor".to_owned(), Value::String(cursor.clone()))]);
                let request = requests.request(*era, list.method(), params, None)?;
                Some((pages::probe(*era, *list, pages.count + 1), request))
            };
            let probes: Vec<_> = all.iter().filter_map(next).collect();
            if probes.is_empty() {
                break;
            }
            self.send_all(&probes);
            for (era, list, pages) in &mut all {
                pages.read_on(&self.record.exchanges, *era, *list);
            }
        }
        let of_tools = || all.iter().filter(|(_, list, _)| *list == List::Tools);
        Listed {
            with_whoami: of_tools().filter(|(.., pages)| has_whoami(&pages.entries)).map(|(era, ..)| *era).collect(),
            needs_connections: of_tools().any(|(.., pages)| pages.entries.iter().any(needs_connection)),
        }
    }

    /// The lists to request: the tools in both eras; what else the server announces in one of them, because both come
    /// from the same place.
    fn lists(&self) -> Vec<(Era, List)> {
        let eras = Era::ALL.into_iter().filter(|era| self.record.handshake(*era).is_some());
        let mut lists: Vec<_> = eras.map(|era| (era, List::Tools)).collect();
        let others = List::ALL.into_iter().filter(|list| *list != List::Tools);
        let announced = |list| Some((Era::ALL.into_iter().find(|era| self.record.announces(*era, list))?, list));
        lists.extend(others.filter_map(announced));
        lists
    }

    fn call_whoami(&mut self, requests: &Requests, eras: &[Era]) {
        let call = |era: &Era| {
            let probe = match era {
                Era::Legacy => Probe::LegacyWhoami,
                Era::Modern => Probe::ModernWhoami,
            };
            let params = Map::from_iter([("name".to_owned(), json!(WHOAMI)), ("arguments".to_owned(), json!({}))]);
            Some((probe, requests.request(*era, "tools/call", params, Some(WHOAMI))?))
        };
        let probes: Vec<_> = eras.iter().filter_map(call).collect();
        self.send_all(&probes);
    }
}

/// Whether a list of tools has a `whoami` without required arguments.
fn has_whoami(tools: &[Value]) -> bool {
    tools
        .iter()
        .any(|tool| tool["name"] == WHOAMI && tool["inputSchema"]["required"].as_array().is_none_or(Vec::is_empty))
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{document, examined},
        *,
    };
    use crate::{pages::MAX_PAGES, record::Record, testing::token};

    /// A server that answers each request for a list with this result, in both eras.
    fn examined_lists(method: &str, result: impl Fn(&Value) -> Value + Sync) -> (Record, Vec<HttpRequest>) {
        examined(Some(token(&json!({}))), |request| {
            let message: Value = serde_json::from_str(request.body.as_deref()?).ok()?;
            (message["method"] == method).then(|| {
                document(&json!({ "jsonrpc": "2.0", "id": 1, "result": result(&message["params"]["cursor"]) }))
            })
        })
    }

    #[test]
    fn cursors_are_followed_to_the_last_page_in_both_eras() {
        let (record, sent) = examined_lists("tools/list", |cursor| match cursor.as_str() {
            None => json!({ "tools": [{ "name": "a" }], "nextCursor": "2" }),
            Some(_) => json!({ "tools": [{ "name": "b" }] }),
        });
        for era in [Era::Legacy, Era::Modern] {
            let pages = record.pages(era, List::Tools).unwrap();
            assert_eq!((pages.count, pages.entries.len(), &pages.end), (2, 2, &End::Complete));
        }
        let mut seconds = sent.iter().filter(|it| it.body.as_deref().is_some_and(|body| body.contains("cursor")));
        let revision = ("mcp-protocol-version", "2025-11-25".to_owned());
        assert!(seconds.any(|it| it.headers.contains(&revision)), "{sent:?}");
    }

    #[test]
    fn a_list_without_end_is_read_up_to_a_bound() {
        let (record, sent) = examined_lists("tools/list", |cursor| {
            let page = cursor.as_str().map_or(1, |it| it.parse::<usize>().unwrap());
            json!({ "tools": [], "nextCursor": (page + 1).to_string() })
        });
        assert_eq!(record.pages(Era::Modern, List::Tools).unwrap().end, End::TooMany);
        let lists = sent.iter().filter(|it| it.body.as_deref().is_some_and(|body| body.contains("tools/list")));
        assert_eq!(lists.count(), 2 * MAX_PAGES);
    }

    #[test]
    fn a_cursor_that_repeats_or_is_no_string_is_not_followed() {
        for (next, pages, end) in [
            (json!("same"), 2, End::Loop),
            (json!(""), 2, End::Loop),
            (Value::Null, 1, End::Null),
            (json!(7), 1, End::NotAString("a number")),
            (json!("x".repeat(5000)), 1, End::TooLong),
        ] {
            let (record, _) = examined_lists("tools/list", |_| json!({ "tools": [], "nextCursor": next }));
            let read = record.pages(Era::Legacy, List::Tools).unwrap();
            assert_eq!((read.count, &read.end), (pages, &end), "{next}");
        }
    }

    #[test]
    fn lists_that_the_server_does_not_announce_are_not_requested() {
        let (_, sent) = examined(Some(token(&json!({}))), |_| None);
        let asks = |method| sent.iter().any(|it| it.body.as_deref().is_some_and(|body| body.contains(method)));
        assert!(asks("tools/list") && !asks("prompts/list") && !asks("resources/"));
    }

    /// The requests with a method that carry this revision.
    fn revisions(sent: &[HttpRequest], method: &str) -> Vec<String> {
        let named = format!("\"method\":\"{method}\"");
        let of_method = sent.iter().filter(|it| it.body.as_deref().is_some_and(|body| body.contains(&named)));
        let revision = |it: &HttpRequest| {
            it.headers.iter().find(|(name, _)| *name == "mcp-protocol-version").map(|(_, value)| value.clone())
        };
        of_method.filter_map(revision).collect()
    }

    /// The good server with the token, except that it announces prompts in these eras; `initialize` can fail.
    fn announcing(eras: &[&str], rejects_initialize: bool) -> Vec<HttpRequest> {
        let (_, sent) = examined(Some(token(&json!({}))), |request| {
            let message: Value = serde_json::from_str(request.body.as_deref()?).ok()?;
            let method = message["method"].as_str()?;
            // Requests without the token are refused.
            if !request.headers.iter().any(|(name, value)| *name == "authorization" && value.len() > 100) {
                return None;
            }
            let mut capabilities = json!({ "tools": {} });
            if eras.contains(&method) {
                capabilities["prompts"] = json!({});
            }
            let result = match method {
                "initialize" if rejects_initialize => {
                    let error = json!({ "code": -32601, "message": "Method not found" });
                    return Some(document(&json!({ "jsonrpc": "2.0", "id": 1, "error": error })));
                }
                "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities }),
                "server/discover" => json!({ "supportedVersions": ["2026-07-28"], "capabilities": capabilities }),
                "prompts/list" => json!({ "prompts": [] }),
                _ => return None,
            };
            Some(document(&json!({ "jsonrpc": "2.0", "id": 1, "result": result })))
        });
        sent
    }

    #[test]
    fn lists_are_requested_in_an_era_that_announces_them() {
        for (eras, expected) in [
            (&["initialize"] as &[_], "2025-11-25"),
            (&["server/discover"], "2026-07-28"),
            (&["initialize", "server/discover"], "2025-11-25"),
        ] {
            assert_eq!(revisions(&announcing(eras, false), "prompts/list"), [expected], "{eras:?}");
        }
    }

    #[test]
    fn a_rejected_initialize_makes_no_session_even_with_status_200() {
        let sent = announcing(&["server/discover"], true);
        assert_eq!(revisions(&sent, "tools/list"), ["2026-07-28"]);
        assert_eq!(revisions(&sent, "prompts/list"), ["2026-07-28"]);
        assert!(revisions(&sent, "notifications/initialized").is_empty());
    }

    #[test]
    fn the_page_of_connections_is_looked_for_without_the_token_if_a_tool_needs_it() {
        let pages = |sent: &[HttpRequest]| {
            sent.iter().filter(|it| it.url.ends_with("/account/connections")).cloned().collect::<Vec<_>>()
        };
        let (_, sent) = examined(Some(token(&json!({}))), |_| None);
        let sent = pages(&sent);
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].headers.iter().filter(|(name, _)| matches!(*name, "authorization" | "cookie")).count(), 0);
        let (_, sent) = examined_lists("tools/list", |_| json!({ "tools": [{ "name": "whoami" }] }));
        assert!(pages(&sent).is_empty());
        let (_, sent) = examined(None, |_| None);
        assert!(pages(&sent).is_empty(), "no list without a token");
    }

    #[test]
    fn a_rejected_discover_is_followed_by_no_request_of_its_era() {
        let (_, sent) =
            examined(Some(token(&json!({}))), |request| {
                request.body.as_deref()?.contains("server/discover").then(|| {
                    document(&json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32601, "message": "no" } }))
                })
            });
        assert_eq!(revisions(&sent, "tools/list"), ["2025-11-25"]);
    }
}
