//! Which eras of MCP the upstream speaks.
