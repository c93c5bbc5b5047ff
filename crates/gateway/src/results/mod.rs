//! The results that are read.

/// A result that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadResult {
    /// A list.
    List(Listed),
    /// The result of `initialize`.
    Initialize,
    /// The result of `server/discover`.
    Discover,
    /// The result of `resources/read`.
    Resource,
}

/// What a list lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// `tools/list`
    Tools,
    /// `prompts/list`
    Prompts,
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    Templates,
}
