//! Revocation by the holder of a key (RFC 7009), and by those who find keys: no sign-in, the key itself is the proof.

use mcp_edge_access_keys::format;
use mcp_edge_runtime::{http::Response, secret::Secret};
use mcp_edge_sign_in::form::Form;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    deployment::Deployment,
    keyring::{RevokedKey, revoke},
    platform::{ObjectError, Platform},
    visit::Outcome,
};

/// When it makes sense to try again after an outage, in seconds.
const RETRY_SECONDS: u64 = 10;

/// So many findings of one alert are looked at.
const MAX_FINDINGS: usize = 100;

/// Answers `POST /account/keys/revoke` with a form: 200 with an empty body, also for what is no key of ours (RFC 7009 §2.2).
/// 503 if it could not be done (§2.2.1): the key may still work.
pub async fn by_holder<P: Platform>(deployment: &Deployment<P>, form: &Form) -> Outcome {
    // Absent and empty are one (RFC 6749 §3.2). Of two nobody could say which is meant.
    let mut tokens = form.all("token").filter(|token| !token.trim().is_empty());
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return refused("invalid_request", "the form must have the parameter token once, with the key");
    };
    match revoke_key(deployment, token).await {
        Ok(revoked) => {
            let response = Response::empty(200).with_header("cache-control", "no-store");
            let outcome = Outcome::from(response);
            match revoked {
                Some(id) => outcome.about(&id),
                None => outcome,
            }
        }
        Err(error) => unavailable(&error),
    }
}

/// A finding of GitHub's secret scanning (partner programme).
#[derive(Deserialize)]
struct Finding {
    token: String,
    #[serde(rename = "type", default)]
    kind: String,
}

/// Answers `POST /account/keys/github-alert` with a JSON array of findings: each key among them is revoked, and a label says
/// whether it was one. The alert's signature need not be verified: it is the key that revokes itself, regardless of who sends it.
pub async fn by_alert<P: Platform>(deployment: &Deployment<P>, body: &str) -> Outcome {
    let Ok(findings) = serde_json::from_str::<Vec<Finding>>(body) else {
        return refused("invalid_request", "the body must be a JSON array of {\"token\", \"type\", \"url\"}");
    };
    if findings.len() > MAX_FINDINGS {
        return refused("invalid_request", "the array must have at most 100 findings");
    }
    let mut labels: Vec<Value> = Vec::with_capacity(findings.len());
    for Finding { token, kind } in findings {
        let label = match revoke_key(deployment, &token).await {
            Ok(Some(_)) => "true_positive",
            Ok(None) => "false_positive",
            Err(error) => return unavailable(&error),
        };
        labels.push(json!({ "token_raw": token, "token_type": kind, "label": label }));
    }
    Response::json(200, Value::from(labels).to_string()).with_header("cache-control", "no-store").into()
}

/// Revokes a key by itself, and gives its id; `None`: it is no key of this deployment.
async fn revoke_key<P: Platform>(deployment: &Deployment<P>, text: &str) -> Result<Option<String>, ObjectError> {
    let Ok(parts) = format::parse(text.trim(), &deployment.settings.key_prefix) else { return Ok(None) };
    if !deployment.secrets.is_own_id(parts.id) {
        return Ok(None);
    }
    let revoked = revoke(deployment, parts.id, "holder", Some(&Secret::new(parts.secret))).await?;
    Ok(matches!(revoked, RevokedKey::Revoked { .. }).then(|| parts.id.to_owned()))
}

/// An error of OAuth (RFC 6749 §5.2).
#[must_use]
pub fn refused(error: &'static str, description: &'static str) -> Outcome {
    let body = json!({ "error": error, "error_description": description });
    Outcome::from(Response::json(400, body.to_string()).with_header("cache-control", "no-store")).because(description)
}

fn unavailable(error: &ObjectError) -> Outcome {
    let body =
        json!({ "error": "temporarily_unavailable", "error_description": "the key could not be revoked, try again" });
    let response = Response::json(503, body.to_string())
        .with_header("cache-control", "no-store")
        .with_header("retry-after", RETRY_SECONDS.to_string());
    Outcome::from(response).because(error.to_string())
}
