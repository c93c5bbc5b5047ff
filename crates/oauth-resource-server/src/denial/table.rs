//! What each denial looks like from outside: the columns of the table, and their usual values.

/// What a client sees of a denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicError {
    /// HTTP status.
    pub status: u16,
    /// The `error` code of RFC 6750 §3.1, if the response carries one.
    pub error: Option<&'static str>,
    /// For humans who write clients. No quotes, no backslashes, ASCII (RFC 6750 §3).
    pub description: &'static str,
    /// Whether the response carries a `WWW-Authenticate` challenge.
    pub challenge: bool,
}

/// One row of the table of denials.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The stable name in logs and in `docs/denials.md`.
    pub slug: &'static str,
    /// What the client sees.
    pub public: PublicError,
    /// Whether the token could not be checked: then nothing is said about it.
    pub is_outage: bool,
    /// Whether it counts against the limit of failed attempts of the sender's address.
    pub counts_as_failed_attempt: bool,
}

impl Row {
    /// Shared by most refusals of a token: a prober must not learn which check a forged token got past.
    pub const NOT_VALID: &'static str = "The access token is not valid";

    /// Creates the row of a token that is refused: 401 `invalid_token`. Counts as a failed attempt.
    pub const fn invalid_token(slug: &'static str, description: &'static str) -> Self {
        let row = Self::new(slug, 401, Some("invalid_token"), description).challenge();
        Self { counts_as_failed_attempt: true, ..row }
    }

    /// Creates the row of a request without credentials: 401 with a challenge and without an error code (RFC 6750 §3.1).
    pub const fn unauthenticated(slug: &'static str) -> Self {
        Self::new(slug, 401, None, "Authentication is required").challenge()
    }

    /// Creates the row of a malformed request: 400 `invalid_request`.
    pub const fn invalid_request(slug: &'static str, description: &'static str) -> Self {
        Self::new(slug, 400, Some("invalid_request"), description).challenge()
    }

    /// Creates the row of a caller who may not do this: 403 `access_denied`. No scope would help, so no challenge
    /// sends the user through consent again.
    pub const fn forbidden(slug: &'static str, description: &'static str) -> Self {
        Self::new(slug, 403, Some("access_denied"), description)
    }

    /// Creates the row of an outage: 503. Never a 401: clients answer that by throwing the token away.
    pub const fn outage(slug: &'static str) -> Self {
        let description = "The token cannot be checked right now, try again later with the same token";
        Self { is_outage: true, ..Self::new(slug, 503, Some("temporarily_unavailable"), description) }
    }

    /// Creates a row without a challenge that is no outage and no failed attempt.
    pub const fn new(slug: &'static str, status: u16, error: Option<&'static str>, description: &'static str) -> Self {
        let public = PublicError { status, error, description, challenge: false };
        Self { slug, public, is_outage: false, counts_as_failed_attempt: false }
    }

    /// The same with a challenge.
    pub const fn challenge(self) -> Self {
        Self { public: PublicError { challenge: true, ..self.public }, ..self }
    }

    /// The same for what honest clients send until they have signed in again: no failed attempt.
    pub const fn of_honest_clients(self) -> Self {
        Self { counts_as_failed_attempt: false, ..self }
    }
}

/// Declares the causes of denials. Each has its documentation, its values, how these are written into the log
/// (`#[detail(…)]`, with the syntax of `write!`) and its row of the table.
macro_rules! denials {
    ($(
        $(#[doc = $doc:expr])+
        $(#[detail($($detail:tt)+)])?
        $name:ident $({ $( $field:ident: $type:ty ),+ $(,)? })? => $row:expr;
    )+) => {
        /// Why a request was refused, with the values that explain it to the operator. Never holds a token; values from
        /// outside are cut.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "fields have the names of the claims, headers and settings that they hold")]
        pub enum Denial {
            $( $(#[doc = $doc])+ $name $({ $( $field: $type ),+ })?, )+
        }

        /// The cause of a [`Denial`] without its values.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $( $(#[doc = $doc])+ $name, )+
        }

        impl Reason {
            /// All of them, in the order of declaration.
            pub const ALL: [Self; [$( Self::$name ),+].len()] = [$( Self::$name ),+];

            /// The names of the values, for the test of the documentation.
            #[cfg(test)]
            pub(super) const fn values(self) -> &'static [&'static str] {
                match self {
                    $( Self::$name => &[$($( stringify!($field) ),+)?], )+
                }
            }
        }

        /// One row for each cause, in the order of declaration.
        static TABLE: [Row; Reason::ALL.len()] = [$( $row ),+];

        impl Denial {
            /// The cause without its values.
            #[must_use]
            pub const fn reason(&self) -> Reason {
                match self {
                    $( Self::$name { .. } => Reason::$name, )+
                }
            }

            /// The bytes that the values hold in memory beside themselves.
            #[must_use]
            #[allow(unused_mut, reason = "most causes have no values")]
            pub fn held_bytes(&self) -> usize {
                match self {
                    $( Self::$name $({ $( $field ),+ })? => {
                        let mut bytes = 0;
                        $($( bytes += HeldBytes::held_bytes($field); )+)?
                        bytes
                    } )+
                }
            }

            #[allow(unused_variables, reason = "the time to wait is not part of the detail")]
            fn write_values(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( Self::$name $({ $( $field ),+ })? => {
                        $( write!(formatter, $($detail)+)?; )?
                        Ok(())
                    } )+
                }
            }
        }
    };
}
pub(super) use denials;
