//! What is rendered: an explanation, with where its token and settings are from.

use crate::explain::{explanation::Explanation, settings::values::Source};

/// An explanation, with where its token and settings are from.
#[derive(Debug, Clone)]
pub struct Report {
    /// Where the token is from, to follow "The token from".
    pub token_source: String,
    /// Where the settings are from, with their names.
    pub settings: Vec<(Source, Vec<&'static str>)>,
    /// What the operator should know about where they are from. Empty if nothing.
    pub notes: Vec<String>,
    /// The time for which it holds, in seconds since 1970, if it is not now.
    pub other_time: Option<u64>,
    /// The explanation.
    pub explanation: Explanation,
}
