//! The object of one personal access token of the provider.
