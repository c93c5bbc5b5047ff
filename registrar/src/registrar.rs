//! The entry point: routes a request to the endpoint or the portal; the scheduled run.

use mcp_edge::{
    http::{RequestHead, Response},
    log::AccessLog,
    oauth::{challenge::ChallengeContext, protected_resource::WELL_KNOWN},
    ports::Ports,
    settings::SettingsError,
};
use serde_json::json;

use crate::{
    audit::AuditLog,
    cleanup::{self, Report},
    endpoint::{self, metadata_document},
    handled::{Handled, LogRecord},
    policy::Mode,
    portal::Portal,
    provider::ProviderError,
    services::{Deployment, Platform, RequestContext, Services},
    settings::{Cleanup, REGISTRATION_PATH},
};

/// A registration is longer than any honest client's: ten redirect URIs of 2 KB, and some pages.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The registrar of this deployment. Created once per isolate.
pub struct Registrar {
    /// Settings and caches.
    pub deployment: Deployment,
    challenge: ChallengeContext,
    portal: Option<Portal>,
}

impl Registrar {
    /// Names of the request headers that are looked at, in lower case.
    pub const HEADER_NAMES: [&str; 9] = [
        "authorization",
        "content-type",
        "cookie",
        "origin",
        "sec-fetch-site",
        "cf-connecting-ip",
        "cf-worker",
        "cf-ray",
        "traceparent",
    ];

    /// Creates a registrar from named settings, without anything cached.
    ///
    /// # Errors
    /// Every error in the settings.
    pub fn new(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let deployment = Deployment::new(get)?;
        let settings = &deployment.settings;
        Ok(Self {
            challenge: ChallengeContext {
                resource_metadata: settings.edge.resource.metadata_url(),
                basic_scopes: settings.edge.trust.required_scopes.clone(),
            },
            portal: settings.portal.clone().map(|client| Portal::new(client, settings)),
            deployment,
        })
    }

    /// Answers a request and fills in its line of the log.
    pub async fn handle<P: Platform<Ports: Ports>>(
        &self,
        head: &RequestHead<'_>,
        platform: &P,
        request: &RequestContext,
        log: &mut AccessLog,
    ) -> Response {
        let (route, Handled { response, log: record }) = self.route(head, platform, request).await;
        log.route = route;
        record.write_to(log, self.deployment.settings.edge.log_subject);
        log.note_status(response.status);
        response
    }

    /// Answers a request; also gives the name of its route.
    async fn route<P: Platform<Ports: Ports>>(
        &self,
        head: &RequestHead<'_>,
        platform: &P,
        request: &RequestContext,
    ) -> (&'static str, Handled) {
        let services = Services { deployment: &self.deployment, platform };
        let settings = &self.deployment.settings;
        let path = head.path();
        if let Err(denial) = self.deployment.check_namespace(request.now) {
            let response = self.challenge.response(&denial);
            return ("", Handled { response, log: LogRecord::of_denial(denial) });
        }
        if path == REGISTRATION_PATH || path.starts_with("/register/") {
            return ("registration", endpoint::handle(head, &services, &self.challenge, request).await);
        }
        if path.strip_prefix(WELL_KNOWN) == Some(REGISTRATION_PATH) && settings.policy.mode == Mode::Developers {
            return ("metadata", metadata_document::handle(head, &settings.edge).into());
        }
        let handled = match &self.portal {
            Some(portal) => portal.handle(head, &services, request).await,
            None => no_portal().into(),
        };
        ("portal", handled)
    }

    /// Carries out the scheduled run at `now`. `None`: it is switched off.
    ///
    /// # Errors
    /// Why it could not begin.
    pub async fn clean_up<P: Platform<Ports: Ports>>(
        &self,
        platform: &P,
        now: u64,
        audit: AuditLog<'_>,
    ) -> Result<Option<Report>, ProviderError> {
        let dry_run = match self.deployment.settings.cleanup {
            Cleanup::Off => return Ok(None),
            Cleanup::DryRun => true,
            Cleanup::On => false,
        };
        let services = Services { deployment: &self.deployment, platform };
        let applications = services.applications(now).await?;
        Ok(Some(cleanup::clean_up(&services.context(&applications, now, audit), dry_run).await))
    }
}

fn no_portal() -> Response {
    let description = "Not found. Clients register at /register";
    Response::json(404, json!({ "error": "not_found", "error_description": description }).to_string())
}
