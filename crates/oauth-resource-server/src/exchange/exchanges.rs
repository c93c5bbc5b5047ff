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

use super::{CredentialExchange, CredentialKind, Exchanged, token_exchange::ExchangeError};
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
    settings: CredentialSettings,
    /// The issuer that personal access tokens are of: the first.
    provider: Rc<IssuerKeys>,
    vault: Option<C>,
    services: S,
}

impl<S: Services, C: CallService> Exchanges<S, C> {
    /// Creates exchanges with the issuer whose keys are `provider`, and with the vault if one is bound.
    #[must_use]
    pub fn new(settings: CredentialSettings, provider: Rc<IssuerKeys>, vault: Option<C>, services: S) -> Self {
        Self { settings, provider, vault, services }
    }

    /// Has the vault exchange a credential.
    async fn ask_vault(&self, vault: &C, request: Request, now: u64) -> Result<Exchanged, Denial> {
        let answer = vault.call(request.to_json()).await.map_err(|error| unanswered(&error))?;
        let unusable =
            || vault_unavailable("the vault's answer is not one to this question: is it of another version?");
        let exchanged = match Answer::from_json(&answer).ok_or_else(unusable)? {
            Answer::Key(token) => self.of_key(&request, token, now),
            Answer::PersonalToken { access_token, until, scopes }
                if matches!(request, Request::ExchangePersonalToken { .. }) =>
            {
                let seconds = self.settings.personal_tokens.as_ref().map_or(0, |tokens| tokens.seconds);
                Some(of_personal_token(access_token, scopes, until.min(now + seconds)))
            }
            Answer::PersonalToken { .. } => None,
            Answer::Refused(refusal) => return Err(refused(refusal)),
            Answer::Unavailable { retry_after, cause } => {
                return Err(Denial::VaultUnavailable { cause: Excerpt::new(&cause), retry_after });
            }
        };
        let exchanged = exchanged.ok_or_else(unusable)?;
        if jwt::form_of(exchanged.access_token.expose()) == Form::Jwt {
            Ok(exchanged)
        } else {
            Err(vault_unavailable("the provider issues no JWTs to the vault: RESOURCE must be an API resource there"))
        }
    }

    /// What the vault says of a key, if it is the one that was asked about.
    fn of_key(&self, request: &Request, token: KeyToken, now: u64) -> Option<Exchanged> {
        let Request::UseKey { key } = request else { return None };
        let KeyToken { access_token, id, issuer, subject, scopes, tools, until } = token;
        let is_asked = format::parse(key.expose(), &self.settings.key_prefix).is_ok_and(|parts| parts.id == id);
        is_asked.then(|| Exchanged {
            access_token,
            credential: Credential::AccessKey(Rc::new(KeyUse { id, tools })),
            scopes: Some(scopes),
            owner: Some((issuer, subject)),
            until: until.min(now + MAX_KEY_SECONDS),
        })
    }

    /// Exchanges a personal access token at the provider.
    async fn ask_provider(&self, tokens: &PersonalTokens, token: &str, now: u64) -> Result<Exchanged, Denial> {
        let Some(exchange) = &tokens.exchange else {
            return Err(vault_unavailable(UNBOUND));
        };
        let provider = self.provider.provider(now, &self.services).await?;
        match exchange.exchange(token, &provider, &self.services).await {
            Ok(access_token) => Ok(of_personal_token(access_token, exchange.scopes.to_string(), now + tokens.seconds)),
            Err(ExchangeError::Refused) => Err(Denial::PersonalTokenRefused),
            Err(error @ ExchangeError::OwnClient(_)) => {
                Err(Denial::ExchangeRefused { cause: Excerpt::new(&error.to_string()), retry_after: RETRY_SECONDS })
            }
            Err(error @ ExchangeError::Unavailable(_)) => {
                Err(Denial::ExchangeUnavailable { cause: Excerpt::new(&error.to_string()), retry_after: RETRY_SECONDS })
            }
        }
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
            Some(CredentialKind::AccessKey) => {
                format::parse(text.trim_end_matches([' ', '\t', '"']), &self.settings.key_prefix).is_ok()
            }
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

    fn exchange<'a>(
        &'a self,
        kind: CredentialKind,
        credential: &'a str,
        now: u64,
    ) -> LocalBoxFuture<'a, Result<Exchanged, Denial>> {
        async move {
            let secret = Secret::new(credential);
            match (kind, &self.vault, &self.settings.personal_tokens) {
                (CredentialKind::AccessKey, Some(vault), _) => {
                    self.ask_vault(vault, Request::UseKey { key: secret }, now).await
                }
                (CredentialKind::PersonalAccessToken, Some(vault), _) => {
                    self.ask_vault(vault, Request::ExchangePersonalToken { token: secret }, now).await
                }
                (CredentialKind::PersonalAccessToken, None, Some(tokens)) => {
                    self.ask_provider(tokens, credential, now).await
                }
                _ => Err(Denial::KeysNotAccepted),
            }
        }
        .boxed_local()
    }
}

fn of_personal_token(access_token: Secret, scopes: String, until: u64) -> Exchanged {
    let scopes = Some(scopes);
    Exchanged { access_token, credential: Credential::PersonalAccessToken, scopes, owner: None, until }
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
