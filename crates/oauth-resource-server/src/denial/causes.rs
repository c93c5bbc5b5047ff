//! The causes of denials: for each its values, the detail in the log, and its row of the table.

use std::fmt;

use mcp_edge_identity::{Kind, Scopes};
use mcp_edge_runtime::{crypto::Algorithm, log::LogRecord};

use super::{
    outage::{IntrospectionError, KeysOutage},
    table::{PublicError, Row, denials},
    values::{
        Confirmation, Excerpt, ExpiryError, HeldBytes, IssueTimeError, KeyIdentifier, OpaqueRefusal, OrNone,
        ProviderVerdict, Publication, Quoted, Segment, SignatureError, TokenError, proof_of_user,
    },
};

denials! {
    // The request, before any token is looked at.

    /// `Origin` is present and not allowed.
    #[detail("origin {origin:?}")]
    OriginNotAllowed { origin: Excerpt } =>
        Row::forbidden("origin_not_allowed", "This origin may not use this server");
    /// No `Authorization` header.
    NoCredentials => Row::unauthenticated("no_credentials");
    /// `Authorization` with another scheme than `Bearer`. Its value is not kept: clients that forget the scheme send
    /// their token there.
    UnsupportedScheme => Row::unauthenticated("unsupported_scheme");
    /// `Bearer` without a token, or with characters that no token has.
    MalformedAuthorization => Row::invalid_request(
        "malformed_authorization",
        "The Authorization header must be the word Bearer, one space and one token",
    );
    /// More than one token.
    MultipleCredentials =>
        Row::invalid_request("multiple_credentials", "The request carries more than one token");
    /// A token in the query string.
    TokenInQuery => Row::invalid_request(
        "token_in_query",
        "Tokens in the query string are not accepted, use the Authorization header",
    );
    /// A token longer than [`MAX_TOKEN_BYTES`](crate::bearer::MAX_TOKEN_BYTES), or an opaque one longer than
    /// [`MAX_OPAQUE_BYTES`](crate::token::opaque::MAX_OPAQUE_BYTES).
    #[detail("{bytes} bytes, limit {limit}")]
    TokenTooLarge { bytes: usize, limit: usize } =>
        Row::invalid_token("token_too_large", "The access token is too large");
    /// Too many failed authentications from one address.
    #[detail("after {}", last.slug())]
    RateLimited { last: Reason, retry_after: u64 } => Row::new(
        "rate_limited",
        429,
        Some("too_many_requests"),
        "Too many failed attempts, try again later",
    );

    // The form of a JWT.

    /// Looks like a JWT and is none: bad base64url, bad JSON, a missing or wrongly typed member.
    #[detail("{error}")]
    MalformedToken { error: TokenError } => Row::invalid_token("malformed_token", Row::NOT_VALID);
    /// Five segments: an encrypted JWT.
    EncryptedToken => Row::invalid_token("encrypted_token", Row::NOT_VALID);
    /// A member name occurs twice in header or claims.
    #[detail("in the {segment}")]
    DuplicateMember { segment: Segment } => Row::invalid_token("duplicate_member", Row::NOT_VALID);
    /// `crit`, `b64`, `zip` or `cty` ask for a processing that is not supported.
    #[detail("header member {member}")]
    UnsupportedHeader { member: &'static str } => Row::invalid_token("unsupported_header", Row::NOT_VALID);
    /// `typ` is not that of an access token: an ID token, for example.
    #[detail("typ {}", Quoted(typ))]
    WrongType { typ: Option<Excerpt> } => Row::invalid_token("wrong_type", "The token is not an access token");
    /// `alg` is not on the list.
    #[detail("alg {alg:?}")]
    UnsupportedAlgorithm { alg: Excerpt } => Row::invalid_token("unsupported_algorithm", Row::NOT_VALID);

    // The claims.

    /// `iss` is missing or none of the configured issuers. Which these are is public, so the client may know.
    #[detail("iss {}", Quoted(iss))]
    WrongIssuer { iss: Option<Excerpt> } =>
        Row::invalid_token("wrong_issuer", "The access token was not issued by the provider of this resource");
    /// `aud` is missing or does not name this resource, which is public as well.
    #[detail("aud {}", OrNone(aud.as_ref().map(|aud| aud as _)))]
    WrongAudience { aud: Option<Excerpt> } =>
        Row::invalid_token("wrong_audience", "The access token was not issued for this resource");
    /// `exp` is missing or not a number.
    #[detail("exp is {error}")]
    MissingExpiry { error: ExpiryError } => Row::invalid_token("missing_expiry", Row::NOT_VALID);
    /// `exp` has passed.
    #[detail("exp {exp}, now {now}")]
    Expired { exp: u64, now: u64 } => Row::invalid_token("expired", "The access token expired").of_honest_clients();
    /// `nbf` lies in the future.
    #[detail("nbf {nbf}, now {now}")]
    NotYetValid { nbf: u64, now: u64 } => Row::invalid_token("not_yet_valid", Row::NOT_VALID);
    /// `iat` lies in the future or not before `exp`, or is no number.
    #[detail("{error}")]
    BadIssueTime { error: IssueTimeError } => Row::invalid_token("bad_issue_time", Row::NOT_VALID);
    /// The operator refuses tokens that were issued before a certain time.
    #[detail("iat {}, DENIED_ISSUED_BEFORE {cutoff}", OrNone(iat.as_ref().map(|iat| iat as _)))]
    IssuedBeforeCutoff { iat: Option<u64>, cutoff: u64 } =>
        Row::invalid_token("issued_before_cutoff", Row::NOT_VALID).of_honest_clients();
    /// What the provider's profile says of every access token does not hold.
    #[detail("claim {claim} is not that of an access token of {provider}")]
    ClaimRequired { provider: &'static str, claim: &'static str } =>
        Row::invalid_token("claim_required", "The token is not an access token");
    /// `sub` is missing or empty.
    MissingSubject => Row::invalid_token("missing_subject", Row::NOT_VALID);
    /// `cnf` binds the token to a key or a certificate (RFC 7800), and proofs of possession are not supported.
    #[detail("{confirmation}")]
    SenderConstrained { confirmation: Confirmation } => Row::invalid_token(
        "sender_constrained",
        "The access token is bound to a key and cannot be used as a bearer token",
    );

    // The key and the signature.

    /// No published key that can be used has the token's `kid`.
    #[detail("kid {}, alg {}{publication}", Quoted(kid), alg.name())]
    UnknownKey { kid: Option<Excerpt>, alg: Algorithm, publication: Publication } =>
        Row::invalid_token("unknown_key", Row::NOT_VALID);
    /// More than one published key would fit.
    #[detail("kid {}, alg {}", Quoted(kid), alg.name())]
    AmbiguousKey { kid: Option<Excerpt>, alg: Algorithm } => Row::invalid_token("ambiguous_key", Row::NOT_VALID);
    /// The key with this `kid` is of another kind than `alg` needs.
    #[detail("kid {}, alg {}", Quoted(kid), alg.name())]
    KeyMismatch { kid: Option<Excerpt>, alg: Algorithm } => Row::invalid_token("key_mismatch", Row::NOT_VALID);
    /// The published key cannot be imported.
    #[detail("kid {}: {error}", Quoted(kid))]
    UnusableKey { kid: Option<Excerpt>, error: Excerpt } => Row::invalid_token("unusable_key", Row::NOT_VALID);
    /// The operator refuses this key.
    #[detail("{identifier} {value:?} is in DENIED_KEYS")]
    KeyDenied { identifier: KeyIdentifier, value: Excerpt } =>
        Row::invalid_token("key_denied", Row::NOT_VALID).of_honest_clients();
    /// The signature does not verify.
    #[detail("kid {}, alg {}{error}", Quoted(kid), alg.name())]
    BadSignature { kid: Option<Excerpt>, alg: Algorithm, error: SignatureError } =>
        Row::invalid_token("bad_signature", Row::NOT_VALID);

    // Opaque tokens.

    /// Not a JWT, and opaque tokens are not accepted here.
    #[detail("{refusal}")]
    OpaqueNotAccepted { refusal: OpaqueRefusal } => Row::invalid_token(
        "opaque_not_accepted",
        "This resource needs a JWT access token: send the resource parameter to the token endpoint",
    );
    /// The provider says that the token is not (or no longer) good.
    #[detail("{verdict}")]
    Inactive { verdict: ProviderVerdict } => Row::invalid_token("inactive", Row::NOT_VALID);
    /// The provider knows the token, but it is no access token: a refresh token, for example, or by its claims an ID
    /// token.
    #[detail("by its claim {claim}")]
    NotAnAccessToken { claim: &'static str } => Row::invalid_token("not_an_access_token", Row::NOT_VALID);

    // Access keys and personal access tokens.

    /// Begins like an access key, and is none: cut off or mistyped.
    KeyMalformed => Row::invalid_token("key_malformed", "The access key is mistyped or incomplete");
    /// There is no such key, or its secret is another.
    KeyUnknown => Row::invalid_token("key_unknown", Row::NOT_VALID);
    /// The key has expired.
    KeyExpired => Row::invalid_token("key_expired", "The access key expired").of_honest_clients();
    /// The key was revoked.
    KeyRevoked => Row::invalid_token("key_revoked", "The access key was revoked").of_honest_clients();
    /// The provider has ended the grant behind the key: a suspended user, a withdrawn consent, a key that nobody used.
    KeyEnded => Row::invalid_token(
        "key_ended",
        "The identity provider has ended this access key: sign in and make a new one",
    )
    .of_honest_clients();
    /// The access token behind the key is another user's.
    #[detail("sub {sub:?}")]
    KeyOfAnotherUser { sub: Excerpt } => Row::invalid_token("key_of_another_user", Row::NOT_VALID);
    /// A key, and no vault is bound.
    KeysNotAccepted => Row::invalid_token("keys_not_accepted", "This server does not accept access keys");
    /// A key in a cookie.
    KeyInCookie => Row::invalid_request(
        "key_in_cookie",
        "Access keys in cookies are not accepted, use the Authorization header",
    );
    /// The provider refuses a personal access token.
    PersonalTokenRefused => Row::invalid_token("personal_token_refused", Row::NOT_VALID);

    // Permission.

    /// The client is on the deny list.
    ClientDenied => Row::forbidden("client_denied", "This client may not use this server");
    /// There is an allow list of clients and this one is not on it.
    ClientNotAllowed => Row::forbidden("client_not_allowed", "This client may not use this server");
    /// There is an allow list of organizations, and the token is of none of them.
    #[detail("organization {}", Quoted(organization))]
    OrganizationNotAllowed { organization: Option<Excerpt> } =>
        Row::forbidden("organization_not_allowed", "This organization may not use this server");
    /// A granted scope is missing. `needed` is every scope of the operation, granted or not.
    #[detail("needs {needed}")]
    InsufficientScope { needed: Scopes } => Row::new(
        "insufficient_scope",
        403,
        Some("insufficient_scope"),
        "The access token lacks a scope that this request needs",
    )
    .challenge();
    /// The tool wants a person, and the token does not prove one.
    #[detail("{}", proof_of_user(*kind))]
    UserRequired { kind: Kind } => Row::forbidden("user_required", "This operation needs a signed-in user");
    /// The tool is closed to third-party clients.
    FirstPartyOnly => Row::forbidden("first_party_only", "This operation is not open to third-party clients");

    /// The operation refuses access keys and personal access tokens.
    KeyRefused => Row::forbidden("key_refused", "This operation needs a sign-in and cannot be used with an access key");
    /// The access key is for other tools.
    KeyForOtherTools => Row::forbidden("key_for_other_tools", "This access key may not use this tool");

    // Not the sender's fault.

    /// The provider's keys cannot be had.
    #[detail("{cause}")]
    KeysUnavailable { cause: KeysOutage, retry_after: u64 } => Row::outage("keys_unavailable");
    /// The provider's introspection or userinfo endpoint cannot be had.
    #[detail("{error}")]
    IntrospectionUnavailable { error: IntrospectionError, retry_after: u64 } =>
        Row::outage("introspection_unavailable");
    /// The provider refuses our own client: the introspection secret is wrong or has expired, or the client is gone.
    #[detail(
        "introspection answered {status}{}: check INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET",
        if *is_secret_expired { ", the secret has expired" } else { "" }
    )]
    IntrospectionRefused { status: u16, is_secret_expired: bool, retry_after: u64 } =>
        Row::outage("introspection_refused");
    /// Too many unknown tokens or keys: nobody is asked about this one.
    #[detail("too many unknown tokens, the provider is spared")]
    ProviderSpared { retry_after: u64 } => Row::outage("provider_spared");
    /// The vault cannot be asked about an access key, or cannot say.
    #[detail("{cause}")]
    VaultUnavailable { cause: Excerpt, retry_after: u64 } => Row::outage("vault_unavailable");
    /// The provider cannot be asked for an access token in place of a personal access token.
    #[detail("{cause}")]
    ExchangeUnavailable { cause: Excerpt, retry_after: u64 } => Row::outage("exchange_unavailable");
    /// The provider refuses our own client at the exchange: its secret is wrong or has expired, or it may not exchange.
    #[detail("{cause}")]
    ExchangeRefused { cause: Excerpt, retry_after: u64 } => Row::outage("exchange_refused");
    /// Our settings are wrong.
    #[detail("{}", error.as_ref().map_or("", Excerpt::as_str))]
    Misconfigured { error: Option<Excerpt> } =>
        Row::new("misconfigured", 500, Some("server_error"), "This server is not set up correctly");
}

impl HeldBytes for Reason {}

impl Reason {
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The stable name in logs and in `docs/denials.md`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.row().slug
    }

    /// What the client sees of it.
    #[must_use]
    pub fn to_public(self) -> PublicError {
        self.row().public
    }

    /// Whether it says nothing about the token, only that it cannot be checked now.
    #[must_use]
    pub fn is_outage(self) -> bool {
        self.row().is_outage
    }

    /// Whether it counts against the limit of failed attempts of the sender's address. Every client
    /// begins with a request without a token, tokens expire, and an outage is not the client's fault: none of these counts.
    #[must_use]
    pub fn counts_as_failed_attempt(self) -> bool {
        self.row().counts_as_failed_attempt
    }
}

impl Denial {
    /// The values as the operator reads them; `None` if there are none.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let detail = Values(self).to_string();
        (!detail.is_empty()).then_some(detail)
    }

    /// Seconds until it makes sense to come back, at least one; for outages and rate limits.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::KeysUnavailable { retry_after, .. }
            | Self::IntrospectionUnavailable { retry_after, .. }
            | Self::IntrospectionRefused { retry_after, .. }
            | Self::VaultUnavailable { retry_after, .. }
            | Self::ExchangeUnavailable { retry_after, .. }
            | Self::ExchangeRefused { retry_after, .. }
            | Self::ProviderSpared { retry_after } => Some((*retry_after).max(1)),
            _ => None,
        }
    }

    /// Adds the cause (`reason`) and its values (`detail`) to the record of the request.
    pub fn add_to(&self, record: &mut LogRecord) {
        record.text("reason", self.reason().slug());
        record.maybe_cut("detail", self.detail());
    }
}

/// The slug, and the values if there are any.
impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason().slug())?;
        self.detail().map_or(Ok(()), |detail| write!(formatter, ": {detail}"))
    }
}

impl std::error::Error for Denial {}

struct Values<'a>(&'a Denial);

impl fmt::Display for Values<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_values(formatter)
    }
}
