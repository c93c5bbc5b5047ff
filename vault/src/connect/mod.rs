//! Connecting accounts of other services: the pages below `/account/connect` and `/account/connections`.
