//! The pages and addresses below `/account`.
