//! Conditions on the claims of a token.

/// A condition on the claims of a token, as data: the reader of a token evaluates it. A claim
/// that is `null` counts as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The claim is a string that is not empty.
    HasText(&'static str),
    /// The claim is an array, and one of its elements is a string that is not empty.
    HasList(&'static str),
    /// The claim is a date (RFC 7519 §2) after the beginning of 1970.
    HasDate(&'static str),
    /// The claim names a scope other than `/`: in a string, separated by spaces, or in an array of strings.
    HasScope(&'static str),
    /// The claim is absent, a blank string, or an empty array.
    Absent(&'static str),
    /// The claim is absent or `false`.
    NotTrue(&'static str),
    /// The claim is one of these strings (a whole number counts as its digits), or an array with one of them.
    OneOf(&'static str, &'static [&'static str]),
    /// The claim is a string, and one of its words, separated by spaces, is one of these.
    HasWord(&'static str, &'static [&'static str]),
    /// The claim is a string that begins with this text.
    StartsWith(&'static str, &'static str),
    /// The claim is a string that ends with this text.
    EndsWith(&'static str, &'static str),
    /// The claim is a string that contains this text.
    Contains(&'static str, &'static str),
    /// `sub` is the value of this claim, which is not empty, with this text after it.
    SubjectIs(&'static str, &'static str),
    /// The claim is a string that is not empty, and `sub` is another one.
    SubjectIsNot(&'static str),
    /// The claim is a whole segment of the path of `iss`.
    InIssuer(&'static str),
    /// The other sign does not hold.
    Not(&'static Sign),
    /// All of these.
    All(&'static [Sign]),
    /// One of these, or several.
    Any(&'static [Sign]),
}

impl Sign {
    /// The names of the claims that it looks at, besides `iss` and `sub`.
    #[must_use]
    pub fn claims(&self) -> Vec<&'static str> {
        match self {
            Self::HasText(claim)
            | Self::HasList(claim)
            | Self::HasDate(claim)
            | Self::HasScope(claim)
            | Self::Absent(claim)
            | Self::NotTrue(claim)
            | Self::OneOf(claim, _)
            | Self::HasWord(claim, _)
            | Self::StartsWith(claim, _)
            | Self::EndsWith(claim, _)
            | Self::Contains(claim, _)
            | Self::SubjectIs(claim, _)
            | Self::SubjectIsNot(claim)
            | Self::InIssuer(claim) => vec![claim],
            Self::Not(sign) => sign.claims(),
            Self::All(signs) | Self::Any(signs) => signs.iter().flat_map(Self::claims).collect(),
        }
    }
}
