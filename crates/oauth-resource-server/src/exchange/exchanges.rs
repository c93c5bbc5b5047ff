//! Who is asked about which credential, and what the answers mean.

use std::rc::Rc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use mcp_edge_access_keys::{
    format,
    vault_call::{Answer, KeyToken, Refusal, Request},
};
use mcp_edge_identity::{Credential, KeyUse};
use mcp_edge_runtime::{
    ports::Services,
    secret::Secret,
    service_call::{CallError, CallService},
};

use super::{CredentialExchange, CredentialKind, Exchanged, Outcome, token_exchange::ExchangeError};
use crate::{
    denial::{Denial, Excerpt},
    keys::jwks_cache::IssuerKeys,
    settings::{CredentialSettings, PersonalTokens},
    token::{
        jwt::{self, Form},
        opaque::{MAX_OPAQUE_BYTES, RETRY_SECONDS},
    },
};

/// The binding through which the vault is called.
pub const VAULT_BINDING: &str = "VAULT_CALLS";

/// How long the access token of a key is used without asking the vault again, in seconds: this is how long a revoked key
/// lives on here, beside what the vault itself keeps.
pub const MAX_KEY_SECONDS: u64 = 60;

/// Exchanges access keys and personal access tokens: by the vault, where one is bound, and personal access tokens by the
/// provider otherwise.
pub struct Exchanges<S, C> {
    settings: Rc<CredentialSettings>,
    /// The issuer that personal access tokens are of: the first.
    provider: Rc<IssuerKeys>,
    vault: Option<C>,
    services: S,
}

impl<S: Services, C: CallService> Exchanges<S, C> {
    /// Creates exchanges with the issuer whose keys are `provider`, and with the vault if one is bound.
    #[must_use]
    pub fn new(
        settings: impl Into<Rc<CredentialSettings>>,
        provider: Rc<IssuerKeys>,
        vault: Option<C>,
        services: S,
    ) -> Self {
        Self { settings: settings.into(), provider, vault, services }
    }

    /// Has the vault exchange a credential.
    async fn ask_vault(&self, vault: &C, kind: CredentialKind, credential: &str, now: u64) -> Outcome {
        let secret = Secret::new(credential);
        let request = match kind {
            CredentialKind::AccessKey => Request::UseKey { key: secret },
            CredentialKind::PersonalAccessToken => Request::ExchangePersonalToken { token: secret },
        };
        let answer = vault.call(request.to_json()).await.map_err(|error| unanswered(&error))?;
        Ok(Rc::new(self.read(&answer, kind, credential, now)?))
    }

    /// Reads the vault's answer.
    fn read(&self, answer: &str, kind: CredentialKind, credential: &str, now: u64) -> Result<Exchanged, Denial> {
        let exchanged = match (Answer::from_json(answer), kind) {
            (Some(Answer::Key(token)), CredentialKind::AccessKey) if self.is_of(&token, credential) => {
                of_key(token, now)
            }
            (Some(Answer::PersonalToken { access_token, until, scopes }), CredentialKind::PersonalAccessToken) => {
                let seconds = self.settings.personal_tokens.as_ref().map_or(0, |tokens| tokens.seconds);
                of_personal_token(access_token, scopes, until.min(now + seconds))
            }
            (Some(Answer::Refused(refusal)), _) => return Err(refused(refusal)),
            (Some(Answer::Unavailable { retry_after, cause }), _) => {
                return Err(Denial::VaultUnavailable { cause: Excerpt::new(&cause), retry_after });
            }
            _ => {
                return Err(vault_unavailable(
                    "the vault's answer is not one to this question: is it of another version?",
                ));
            }
        };
        if jwt::form_of(exchanged.access_token.expose()) == Form::Jwt {
            Ok(exchanged)
        } else {
            Err(vault_unavailable("the provider issues no JWTs to the vault: RESOURCE must be an API resource there"))
        }
    }

    /// Whether the vault's answer is about this key.
    fn is_of(&self, token: &KeyToken, key: &str) -> bool {
        format::parse(key, &self.settings.key_prefix).is_ok_and(|parts| parts.id == token.id)
    }

    /// Exchanges a personal access token at the provider.
    async fn ask_provider(&self, tokens: &PersonalTokens, token: &str, now: u64) -> Outcome {
        let Some(exchange) = &tokens.exchange else {
            return Err(vault_unavailable(UNBOUND).into());
        };
        let provider = self.provider.provider(now, &self.services).await?;
        let denial = match exchange.exchange(token, &provider, &self.services).await {
            Ok(access_token) => {
                let scopes = exchange.scopes.to_string();
                return Ok(Rc::new(of_personal_token(access_token, scopes, now + tokens.seconds)));
            }
            Err(ExchangeError::Refused) => Denial::PersonalTokenRefused,
            Err(ExchangeError::OwnClient(cause)) => {
                Denial::ExchangeRefused { cause: Excerpt::new(&cause), retry_after: RETRY_SECONDS }
            }
            Err(ExchangeError::Unavailable(cause)) => {
                Denial::ExchangeUnavailable { cause: Excerpt::new(&cause), retry_after: RETRY_SECONDS }
            }
        };
        Err(denial.into())
    }
}

impl<S: Services, C: CallService + 'static> CredentialExchange for Exchanges<S, C> {
    fn kind_of(&self, text: &str) -> Option<CredentialKind> {
        if format::has_prefix(text, &self.settings.key_prefix) {
            return Some(CredentialKind::AccessKey);
        }
        let prefix = self.settings.personal_tokens.as_ref().map(|tokens| &*tokens.prefix)?;
        text.starts_with(prefix).then_some(CredentialKind::PersonalAccessToken)
    }

    fn has_form(&self, text: &str) -> bool {
        match self.kind_of(text) {
            Some(CredentialKind::AccessKey) => format::parse(text, &self.settings.key_prefix).is_ok(),
            kind => kind.is_some(),
        }
    }

    fn check(&self, kind: CredentialKind, credential: &str) -> Result<(), Denial> {
        match kind {
            CredentialKind::AccessKey if self.vault.is_none() => Err(Denial::KeysNotAccepted),
            CredentialKind::AccessKey => {
                format::parse(credential, &self.settings.key_prefix).map(drop).map_err(|_| Denial::KeyMalformed)
            }
            CredentialKind::PersonalAccessToken if credential.len() > MAX_OPAQUE_BYTES => {
                Err(Denial::TokenTooLarge { bytes: credential.len(), limit: MAX_OPAQUE_BYTES })
            }
            CredentialKind::PersonalAccessToken => Ok(()),
        }
    }

    fn exchange<'a>(&'a self, kind: CredentialKind, credential: &'a str, now: u64) -> LocalBoxFuture<'a, Outcome> {
        async move {
            match (&self.vault, &self.settings.personal_tokens) {
                (Some(vault), _) => self.ask_vault(vault, kind, credential, now).await,
                (None, Some(tokens)) if kind == CredentialKind::PersonalAccessToken => {
                    self.ask_provider(tokens, credential, now).await
                }
                _ => Err(Denial::KeysNotAccepted.into()),
            }
        }
        .boxed_local()
    }
}

/// What the vault says of a key.
fn of_key(token: KeyToken, now: u64) -> Exchanged {
    let KeyToken { access_token, id, issuer, subject, scopes, tools, until } = token;
    Exchanged {
        access_token,
        credential: Credential::AccessKey(Rc::new(KeyUse { id, tools })),
        scopes: Some(scopes),
        owner: Some((issuer, subject)),
        until: until.min(now + MAX_KEY_SECONDS),
    }
}

fn of_personal_token(access_token: Secret, scopes: String, until: u64) -> Exchanged {
    Exchanged { access_token, credential: Credential::PersonalAccessToken, scopes: Some(scopes), owner: None, until }
}

const fn refused(refusal: Refusal) -> Denial {
    match refusal {
        Refusal::Malformed => Denial::KeyMalformed,
        Refusal::Unknown => Denial::KeyUnknown,
        Refusal::Expired => Denial::KeyExpired,
        Refusal::Revoked => Denial::KeyRevoked,
        Refusal::Ended => Denial::KeyEnded,
        Refusal::PersonalToken => Denial::PersonalTokenRefused,
    }
}

const UNBOUND: &str = "there is no binding VAULT_CALLS: add it to [[services]] in wrangler.toml, with entrypoint = \
                       \"Internal\" and props = { role = \"endpoint\" }";

fn unanswered(error: &CallError) -> Denial {
    match error {
        CallError::Unbound(_) => vault_unavailable(UNBOUND),
        CallError::Forbidden => vault_unavailable(
            "the vault refuses this caller: the binding VAULT_CALLS needs entrypoint = \"Internal\" and props = { role = \
             \"endpoint\" }",
        ),
        error => vault_unavailable(&error.to_string()),
    }
}

fn vault_unavailable(cause: &str) -> Denial {
    Denial::VaultUnavailable { cause: Excerpt::new(cause), retry_after: RETRY_SECONDS }
}
