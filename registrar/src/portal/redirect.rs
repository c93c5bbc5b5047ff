//! Redirects.

use mcp_edge_runtime::http::Response;

/// The answer to a form: the browser goes on with a GET, so that a reload sends nothing again.
pub(super) fn redirect(location: &str) -> Response {
    Response::empty(303).with_header("location", location.to_owned()).with_header("cache-control", "no-store")
}
