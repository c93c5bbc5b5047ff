//! The entry point: routes a request to the endpoint or the portal; the scheduled run.

use mcp_edge_oauth::{challenge::ChallengeContext, denial::Denial, protected_resource::WELL_KNOWN};
use mcp_edge_runtime::{
    app::{self, App, Scheduled},
    context::RequestContext,
    http::{HeaderNames, RequestBody, RequestHead, Response},
    log::LogSettings,
    ports::{OperatorLog, Services},
};
use serde_json::json;

use crate::{
    cleanup::{self, Report},
    client_network::client_network,
    client_request::ClientRequest,
    deployment::Deployment,
    endpoint::{self, metadata_document},
    handled::{Findings, Handled},
    ledger::{Ledger, Reconciled},
    platform::Platform,
    policy::Mode,
    portal::Portal,
    provider::ProviderError,
    settings::{Cleanup, REGISTRATION_PATH, Settings},
};

/// The longest request body: ten redirect URIs of 2 KB, and some pages, with a margin.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The zone of the Worker that sent a request, if one did.
const WORKER_ZONE_HEADER: &str = "cf-worker";

/// The registrar. Created once per isolate.
pub struct Registrar<P> {
    deployment: Deployment<P>,
    challenge: ChallengeContext,
    portal: Option<Portal>,
}

impl<P: Platform<Services: Services>> Registrar<P> {
    /// Creates a registrar without anything cached.
    #[must_use]
    pub fn new(settings: Settings, platform: P) -> Self {
        Self {
            challenge: ChallengeContext {
                resource_metadata: settings.server.resource.metadata_url(),
                basic_scopes: settings.server.trust.required_scopes.clone(),
                scope_prefix: settings.server.trust.scope_prefix.clone(),
            },
            portal: settings.portal.clone().map(|client| Portal::new(client, &settings)),
            deployment: Deployment::new(settings, platform),
        }
    }

    /// Answers a request; also gives the name of its route.
    async fn route(&self, request: &ClientRequest<'_>) -> (&'static str, Handled) {
        let settings = &self.deployment.settings;
        let path = request.head.path();
        if let Err(denial) = self.deployment.check_namespace(request.now) {
            let response = self.challenge.response(&denial);
            return ("", Handled { response, findings: Findings::of_denial(denial) });
        }
        if path == REGISTRATION_PATH || path.starts_with("/register/") {
            return ("registration", endpoint::handle(request, &self.deployment, &self.challenge).await);
        }
        if path.strip_prefix(WELL_KNOWN) == Some(REGISTRATION_PATH) && settings.policy.mode == Mode::Developers {
            return ("metadata", metadata_document::handle(request.head, &settings.server).into());
        }
        let handled = match &self.portal {
            Some(portal) => portal.handle(request, &self.deployment).await,
            None => no_portal().into(),
        };
        ("portal", handled)
    }

    /// Carries out the scheduled run at `now`. `None`: it is switched off.
    ///
    /// # Errors
    /// Why it could not begin.
    async fn clean_up(&self, now: u64) -> Result<Option<Report>, ProviderError> {
        let dry_run = match self.deployment.settings.cleanup {
            Cleanup::Off => return Ok(None),
            Cleanup::DryRun => true,
            Cleanup::On => false,
        };
        let applications = self.deployment.applications(now).await?;
        let context = self.deployment.context(&applications, now, self.deployment.audit());
        Ok(Some(cleanup::clean_up(&context, dry_run).await))
    }
}

impl<P: Platform<Services: Services> + 'static> App for Registrar<P> {
    /// Clients hang up, and what was begun at the provider must not stay half done.
    const CONTINUES_AFTER_DISCONNECT: bool = true;

    fn header_names(&self) -> HeaderNames {
        let always = ["content-type", "content-encoding", "cookie", "origin", "sec-fetch-site", WORKER_ZONE_HEADER];
        HeaderNames { always: always.map(str::to_owned).into(), of_messages: Vec::new(), of_others: Vec::new() }
    }

    fn log_settings(&self) -> LogSettings {
        self.deployment.settings.log
    }

    async fn handle(&self, head: &RequestHead<'_>, body: impl RequestBody, context: &RequestContext) -> app::Handled {
        let address = context.connection.address();
        let address = address.as_deref().unwrap_or("unknown");
        let request = ClientRequest {
            head,
            body: match head.method() {
                "POST" | "PUT" => body.text(MAX_BODY_BYTES).await,
                _ => Ok(String::new()),
            },
            now: context.now,
            network: client_network(address, head.header(WORKER_ZONE_HEADER)),
        };
        let (route, Handled { response, findings }) = self.route(&request).await;
        app::Handled { response, record: findings.into_record(route, self.deployment.settings.log.subject) }
    }

    fn misconfigured(_: &RequestHead<'_>) -> Response {
        ChallengeContext::default().response(&Denial::Misconfigured { error: None })
    }
}

impl<P: Platform<Services: Services> + 'static> Scheduled for Registrar<P> {
    /// Reconciles the ledger also if no client is to be removed: otherwise one that has ended by other ways would count
    /// for good.
    async fn scheduled(&self, now: u64) -> Result<String, String> {
        let platform = &self.deployment.platform;
        match platform.ledger().reconcile(now).await {
            Ok(Reconciled { added: 0, removed: 0 }) => {}
            Ok(corrected) => platform.services().info(&json!({ "ledger": corrected }).to_string()),
            Err(error) => {
                platform.services().error(&json!({ "ledger": null, "failure": error.to_string() }).to_string());
            }
        }
        match self.clean_up(now).await {
            Ok(report) => Ok(json!({ "cleanup": report }).to_string()),
            Err(error) => Err(failed_run(&error.to_string())),
        }
    }

    fn misconfigured_run(errors: &str) -> String {
        failed_run(errors)
    }
}

fn no_portal() -> Response {
    let description = "Not found. Clients register at /register";
    Response::json(404, json!({ "error": "not_found", "error_description": description }).to_string())
}

/// The log line of a scheduled run that could not be carried out.
fn failed_run(failure: &str) -> String {
    json!({ "cleanup": null, "failure": failure }).to_string()
}
