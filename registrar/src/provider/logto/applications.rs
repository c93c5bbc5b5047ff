//! The operations on applications, step by step, each with its way back.

use mcp_edge_oauth::client_authentication::form_encode;
use mcp_edge_runtime::ports::{Fetch, Method, Runtime};
use serde_json::{Value, json};

use super::{
    super::{Applications, Created, LogReading, NotCreated, Period, ProviderError},
    api::{self, MAX_PAGES, PAGE_SIZE, Repeat},
    consent::{self, Consent},
    secrets, sign_in_log,
    stored::{MARK, Stored, path_of},
    tenant::LogtoApplications,
};
use crate::{
    application::{Application, ApplicationType},
    secret::Secret,
};

/// Value of [`MARK`] of an application that is complete.
const COMPLETE: &str = "complete";

/// Longer than any operation takes: an unfinished application that is older was abandoned.
const ABANDONED_AFTER_SECONDS: u64 = 15 * 60;

fn pending(attempt: &str) -> String {
    format!("pending {attempt}")
}

impl<P: Fetch + Runtime> Applications for LogtoApplications<'_, P> {
    /// (1) look permissions up, (2) create, (3) consent scopes, (4) branding, (5) read the secret. From (2) on every
    /// failure removes the application again.
    async fn create(&self, application: &Application, attempt: &str) -> Result<Created, NotCreated> {
        // (1) Before there is anything to take back.
        let consent = consent::of_ceiling(self, &application.ceiling).await?;
        // (2) Logto wants both lists; without redirect URIs the application could never be used.
        let body = json!({
            "name": application.name,
            "description": application.description,
            "type": type_name(application.kind),
            "isThirdParty": true,
            "oidcClientMetadata": client_metadata(application),
            "customData": { MARK: pending(attempt) },
        });
        let created = match self.call(Method::POST, "/applications", Some(&body), Repeat::IfRefused).await {
            Ok(reply) => api::parse::<Stored>(&reply),
            Err(error) => Err(error),
        };
        let client_id = match created {
            Ok(Stored { id, .. }) => id,
            Err(error) => {
                // Without an answer it may exist, with an id that is unknown here.
                if matches!(error, ProviderError::Unavailable(_)) {
                    self.remove_attempt(&application.name, attempt).await;
                }
                return Err(error.into());
            }
        };
        let secret = match self.complete(&client_id, application, &consent).await {
            Ok(secret) => secret,
            Err(error) => {
                // If this fails as well, the mark is still on it, and the next scheduled run removes it.
                let _ = self.remove(&client_id).await;
                return Err(NotCreated { begun: Some(client_id), error });
            }
        };
        Ok(Created { client_id, secret })
    }

    async fn confirm(&self, client_id: &str) -> Result<(), ProviderError> {
        let path = format!("{}/custom-data", path_of(client_id));
        self.call(Method::PATCH, &path, Some(&json!({ MARK: COMPLETE })), Repeat::Always).await.map(|_| ())
    }

    async fn update(&self, client_id: &str, before: &Application, after: &Application) -> Result<(), ProviderError> {
        let (old, new) =
            (consent::of_ceiling(self, &before.ceiling).await?, consent::of_ceiling(self, &after.ceiling).await?);
        let outcome = self.change(client_id, after, &new).await;
        match outcome {
            Err(ProviderError::Gone) | Ok(()) => outcome,
            Err(error) => match self.change(client_id, before, &old).await {
                // The way back is the same way. If it is closed as well, the next update opens it.
                Err(closed @ ProviderError::Unavailable(_)) => Err(closed),
                _ => Err(error),
            },
        }
    }

    async fn remove(&self, client_id: &str) -> Result<(), ProviderError> {
        match self.call(Method::DELETE, &path_of(client_id), None, Repeat::Always).await {
            Ok(_) | Err(ProviderError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn secret(&self, client_id: &str) -> Result<Option<Secret>, ProviderError> {
        secrets::current(self, client_id).await
    }

    async fn rotate_secret(&self, client_id: &str, name: &str) -> Result<Secret, ProviderError> {
        secrets::rotate(self, client_id, name).await
    }

    async fn usage(&self, client_id: &str, period: Period) -> Result<LogReading, ProviderError> {
        sign_in_log::usage(self, client_id, period).await
    }

    async fn remove_abandoned(&self, dry_run: bool) -> Result<Vec<String>, ProviderError> {
        let mut abandoned = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = format!("/applications?isThirdParty=true&page={page}&page_size={PAGE_SIZE}");
            let stored: Vec<Stored> = self.read(&path).await?;
            let is_last = stored.len() < PAGE_SIZE;
            let is_abandoned = |it: &Stored| {
                it.mark().is_some_and(|mark| mark.starts_with("pending "))
                    && it.created_at / 1000 + ABANDONED_AFTER_SECONDS < self.now
            };
            abandoned.extend(stored.into_iter().filter(is_abandoned).map(|it| it.id));
            if is_last {
                break;
            }
        }
        if !dry_run {
            for client_id in &abandoned {
                self.remove(client_id).await?;
            }
        }
        Ok(abandoned)
    }
}

impl<P: Fetch + Runtime> LogtoApplications<'_, P> {
    /// Steps (3) to (5) of a creation.
    async fn complete(
        &self,
        client_id: &str,
        application: &Application,
        consent: &Consent,
    ) -> Result<Option<Secret>, ProviderError> {
        // (3) Adding what is there already is no error, so this may be repeated.
        consent::add(self, client_id, consent).await?;
        // (4)
        self.put_branding(client_id, application).await?;
        // (5) Logto makes one by itself for the only type that has one.
        if application.kind != ApplicationType::Traditional {
            return Ok(None);
        }
        let secret = self.secret(client_id).await?;
        secret.map(Some).ok_or_else(|| ProviderError::Unavailable("the new application has no secret".to_owned()))
    }

    /// What is granted now is read from Logto: what we keep of it may be a minute old, and what others have granted since
    /// would stay.
    async fn change(&self, client_id: &str, after: &Application, consent: &Consent) -> Result<(), ProviderError> {
        let body = json!({ "name": after.name, "oidcClientMetadata": client_metadata(after) });
        self.call(Method::PATCH, &path_of(client_id), Some(&body), Repeat::Always).await?;
        let granted: Value = self.read(&format!("{}/user-consent-scopes", path_of(client_id))).await?;
        let granted = Consent::read(&granted).ok_or_else(api::undocumented)?;
        consent::add(self, client_id, &consent.without(&granted)).await?;
        consent::remove(self, client_id, &granted.without(consent)).await?;
        self.put_branding(client_id, after).await
    }

    /// Removes an application whose creation was not answered. The search is by name, the choice by our mark.
    async fn remove_attempt(&self, name: &str, attempt: &str) {
        let pattern = form_encode(&format!("%{name}%"));
        let path = format!("/applications?isThirdParty=true&search.name={pattern}&page=1&page_size={PAGE_SIZE}");
        let Ok(found) = self.read::<Vec<Stored>>(&path).await else { return };
        let mark = pending(attempt);
        for stored in found.into_iter().filter(|stored| stored.mark() == Some(&mark)) {
            let _ = self.remove(&stored.id).await;
        }
    }

    /// Writes what the consent page shows.
    async fn put_branding(&self, client_id: &str, application: &Application) -> Result<(), ProviderError> {
        let branding = application.logo.as_ref().map_or_else(|| json!({}), |logo| json!({ "logoUrl": logo }));
        let body = json!({
            "displayName": application.name,
            "termsOfUseUrl": application.terms,
            "privacyPolicyUrl": application.privacy,
            "branding": branding,
        });
        let path = format!("{}/sign-in-experience", path_of(client_id));
        self.call(Method::PUT, &path, Some(&body), Repeat::Always).await.map(|_| ())
    }
}

fn client_metadata(application: &Application) -> Value {
    json!({ "redirectUris": application.redirect_uris, "postLogoutRedirectUris": [] })
}

const fn type_name(kind: ApplicationType) -> &'static str {
    match kind {
        ApplicationType::Native => "Native",
        ApplicationType::SinglePage => "SPA",
        ApplicationType::Traditional => "Traditional",
    }
}
