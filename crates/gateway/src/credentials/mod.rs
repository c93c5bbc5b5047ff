//! What the gateway shows the upstream.
