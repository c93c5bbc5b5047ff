//! The identity of a verified caller.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::scope::Scopes;

/// How long a token is accepted after its `exp`, because clocks differ. Not longer: a token that ends a little early is
/// renewed, one that ends late serves a thief.
pub const EXPIRY_LEEWAY_SECONDS: u64 = 5;

/// What verification of a token established about the sender of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// `sub`: the user, or the client itself for a machine. Unique together with the issuer.
    pub subject: String,
    /// `iss`: the issuer of the token.
    pub issuer: String,
    /// The software that sent the request, by the claim that the issuer's provider has for it (`client_id`, `azp`, …).
    pub client_id: Option<String>,
    /// The organization (tenant, workspace) that the user acts for, by the claim that the issuer's provider has for it.
    /// Unique together with the issuer.
    pub organization_id: Option<String>,
    /// Whether a person stands behind the token.
    pub kind: Kind,
    /// The operator's own software or somebody else's.
    pub party: Party,
    /// What was granted, and what that implies.
    pub scopes: Scopes,
    /// `exp`, seconds since 1970.
    pub expires_at: u64,
    /// Claims about the user that a granted scope covers, by their OpenID Connect names.
    pub claims: Map<String, Value>,
    /// What the caller sent.
    pub credential: Credential,
}

/// What a caller proved its identity with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access token of the issuer.
    AccessToken,
    /// A personal access token of the provider, which was exchanged for an access token.
    PersonalAccessToken,
    /// An access key, behind which the provider holds a grant.
    AccessKey(Rc<KeyUse>),
}

impl Credential {
    /// Whether the caller sent an access token, and nothing in place of one.
    #[must_use]
    pub const fn is_access_token(&self) -> bool {
        matches!(self, Self::AccessToken)
    }
}

/// An access key, as far as it is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Its id, by which users and operators know it.
    pub id: String,
    /// The names of the tools that it may call; `None`: all that its scopes allow.
    pub tools: Option<Vec<String>>,
}

/// The verified sender of a request: a user through a client, or a client on its own. Exists only for requests whose
/// token was verified: tools read it, and nothing but verification (and tests, with the feature `testing`) makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity(Verified);

/// Whether a person stands behind the token. Code that requires one checks for [`Kind::User`], not for the absence of
/// [`Kind::Machine`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person signed in.
    User,
    /// The client acts for itself (client credentials).
    Machine,
    /// The token shows neither.
    Unknown,
}

/// Whose software the client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Listed by the operator as their own.
    First,
    /// Anybody else's: an agent.
    Third,
}

impl Identity {
    /// Creates an identity. For the code that has verified the token, and for nothing else.
    #[must_use]
    pub const fn new(verified: Verified) -> Self {
        Self(verified)
    }

    /// The identity as far as it may be used with `credential`, in place of which the access token was obtained that
    /// established it.
    ///
    /// A credential that is not an access token never makes its sender a first party, even if the access token names a client
    /// of the operator's own: it can be used with any software. `scopes` are those of the credential, with all that they
    /// imply; of the identity's it keeps what is in both. `None` limits nothing. `disclose` is given the claims and the
    /// scopes that are left, and returns the claims that these still cover.
    #[must_use]
    pub fn narrowed(
        self,
        credential: Credential,
        scopes: Option<&Scopes>,
        disclose: impl FnOnce(&Map<String, Value>, &Scopes) -> Map<String, Value>,
    ) -> Self {
        let Self(mut verified) = self;
        if !credential.is_access_token() {
            verified.party = Party::Third;
        }
        if let Some(scopes) = scopes {
            verified.scopes = verified.scopes.intersection(scopes);
            verified.claims = disclose(&verified.claims, &verified.scopes);
        }
        verified.credential = credential;
        Self(verified)
    }

    /// `sub`: the user, or the client itself for a machine. Unique together with the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// `iss`: the issuer of the token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The software that sent the request, by the claim that the issuer's provider has for it (`client_id`, `azp`, …).
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// The organization (tenant, workspace) that the user acts for, if the token names one. Unique together with the
    /// issuer.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.0.organization_id.as_deref()
    }

    /// Whether a person stands behind the token.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The operator's own software or somebody else's.
    #[must_use]
    pub const fn party(&self) -> Party {
        self.0.party
    }

    /// What was granted, and what that implies.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }

    /// When the token expires (`exp`), in seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.0.expires_at
    }

    /// Claims about the user that a granted scope covers, by their OpenID Connect names. Everything else that the token
    /// carried is gone.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    /// What the caller sent: a token, or a key in place of one.
    #[must_use]
    pub const fn credential(&self) -> &Credential {
        &self.0.credential
    }

    /// The id of the access key that the caller sent, if it did.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match &self.0.credential {
            Credential::AccessKey(key) => Some(&key.id),
            Credential::AccessToken | Credential::PersonalAccessToken => None,
        }
    }

    /// The tools that the credential is for, by their exact names; `None` if it is for all that its scopes allow.
    #[must_use]
    pub fn tools(&self) -> Option<&[String]> {
        match &self.0.credential {
            Credential::AccessKey(key) => key.tools.as_deref(),
            Credential::AccessToken | Credential::PersonalAccessToken => None,
        }
    }

    /// Whether the credential leaves a tool to be called: an access key may be for some tools alone.
    #[must_use]
    pub fn may_call(&self, tool: &str) -> bool {
        self.tools().is_none_or(|tools| tools.iter().any(|name| name == tool))
    }

    /// A claim about the user, if it is a string.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.0.claims.get(name)?.as_str()
    }
}

#[cfg(feature = "testing")]
impl Identity {
    /// Creates a user for tests of tools: `subject`, signed in at `https://issuer.example` through `test-client`, a
    /// third-party client, with the given space-separated scopes.
    #[must_use]
    pub fn for_test(subject: &str, scopes: &str) -> Self {
        Self(Verified {
            subject: subject.to_owned(),
            issuer: "https://issuer.example".to_owned(),
            client_id: Some("test-client".to_owned()),
            organization_id: None,
            kind: Kind::User,
            party: Party::Third,
            scopes: Scopes::parse(scopes),
            expires_at: 4_102_444_800,
            claims: Map::new(),
            credential: Credential::AccessToken,
        })
    }

    /// The same with the access key `0123456789abcdef` in place of an access token: for these tools, or for all.
    #[must_use]
    pub fn with_access_key(self, tools: Option<&[&str]>) -> Self {
        let tools = tools.map(|tools| tools.iter().map(|tool| (*tool).to_owned()).collect());
        let key = KeyUse { id: "0123456789abcdef".to_owned(), tools };
        self.with(|verified| {
            verified.party = Party::Third;
            verified.credential = Credential::AccessKey(Rc::new(key));
        })
    }

    /// The same with changes.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Verified)) -> Self {
        change(&mut self.0);
        self
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    fn key(tools: Option<&[&str]>) -> Credential {
        ada().with_access_key(tools).credential().clone()
    }

    /// A user of the operator's own client, with claims that two scopes disclose.
    fn ada() -> Identity {
        Identity::for_test("ada", "email notes:read notes:write profile").with(|verified| {
            verified.party = Party::First;
            verified.claims.insert("email".to_owned(), Value::from("ada@example.com"));
            verified.claims.insert("name".to_owned(), Value::from("Ada"));
        })
    }

    /// `profile` discloses `name`, `email` discloses `email`.
    fn disclose(claims: &Map<String, Value>, scopes: &Scopes) -> Map<String, Value> {
        let mut disclosed = claims.clone();
        disclosed.retain(|claim, _| scopes.contains(if claim == "name" { "profile" } else { claim }));
        disclosed
    }

    #[test]
    fn only_an_access_token_makes_a_first_party() {
        for credential in [Credential::PersonalAccessToken, key(None), key(Some(&["search"]))] {
            let identity = ada().narrowed(credential.clone(), None, disclose);
            assert_eq!(identity.party(), Party::Third, "{credential:?}");
            assert_eq!(*identity.credential(), credential);
        }
        assert_eq!(ada().narrowed(Credential::AccessToken, None, disclose), ada());
    }

    #[test]
    fn a_credential_keeps_what_it_and_the_access_token_have_and_the_claims_that_this_covers() {
        let narrowed = ada().narrowed(key(None), Some(&Scopes::parse("email notes:read other")), disclose);
        assert_eq!(*narrowed.scopes(), Scopes::parse("email notes:read"));
        assert_eq!(narrowed.claim("email"), Some("ada@example.com"));
        assert_eq!(narrowed.claim("name"), None);
        let narrowed = ada().narrowed(key(None), Some(&Scopes::default()), disclose);
        assert!(narrowed.scopes().is_empty() && narrowed.claims().is_empty());
    }

    #[test]
    fn a_credential_without_scopes_of_its_own_keeps_those_of_the_access_token() {
        let narrowed = ada().narrowed(Credential::PersonalAccessToken, None, disclose);
        assert_eq!((narrowed.scopes(), narrowed.claims()), (ada().scopes(), ada().claims()));
        assert_eq!((narrowed.subject(), narrowed.client_id()), ("ada", Some("test-client")));
    }

    #[test]
    fn a_key_may_call_the_tools_that_it_is_for_by_their_exact_names() {
        let may_call = |credential, tool: &str| ada().with(|verified| verified.credential = credential).may_call(tool);
        for any in [Credential::AccessToken, Credential::PersonalAccessToken, key(None)] {
            assert!(may_call(any.clone(), "search"), "{any:?}");
        }
        assert!(may_call(key(Some(&["read", "search"])), "search"));
        for tools in [&[][..], &["read"], &["Search"], &["sear*"], &["*"], &["search "]] {
            assert!(!may_call(key(Some(tools)), "search"), "{tools:?}");
        }
    }

    #[test]
    fn only_access_keys_have_an_id() {
        let key_id = |credential| ada().with(|verified| verified.credential = credential).key_id().map(str::to_owned);
        assert_eq!(key_id(key(None)).as_deref(), Some("0123456789abcdef"));
        assert_eq!(key_id(Credential::PersonalAccessToken), None);
        assert_eq!(key_id(Credential::AccessToken), None);
    }
}
