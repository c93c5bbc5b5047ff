//! From the provider's answer to a key: (1) room for it, once for each authorization, (2) the grant, (3) the key's object,
//! (4) the list. What fails half way leaves no key that works and that nobody sees.

use mcp_edge_access_keys::format::{SECRET_LENGTH, random_base62, write};
use mcp_edge_oauth::{Kind, Scopes};
use mcp_edge_runtime::{base64::URL_SAFE_NO_PAD, digest::sha256, secret::Secret};
use mcp_edge_sign_in::{
    authorization::{Code, RoundTrip},
    session::Session,
    tokens::Tokens,
};

use super::{error::RoundTripError, redemption::redeem};
use crate::{
    account::message::{Answer as AccountAnswer, Request as AccountRequest},
    audit::Event,
    deployment::Owner,
    jwt::grant_id_of,
    key::message::{Answer as KeyAnswer, NewKey, Request as KeyRequest},
    keyring::{RevokedKey, revoke},
    pages::{
        made::{Made, Replaced},
        status::Status,
    },
    platform::Platform,
    requested_key::RequestedKey,
    visit::{Outcome, Visit, owner_of},
};

/// What the provider grants for a key.
struct Grant {
    refresh_token: Secret,
    grant_id: Option<String>,
}

/// Makes the key that `owner` began to make, in place of `old` if that is given, and shows it.
pub(super) async fn make<P: Platform>(
    visit: &Visit<'_, P>,
    code: &Code,
    round_trip: &RoundTrip,
    owner: &Owner,
    key: &RequestedKey,
    old: Option<&str>,
) -> Result<Outcome, RoundTripError> {
    let session = visit.session.as_ref().ok_or(RoundTripError::SignedOut)?;
    if owner_of(session) != *owner {
        return Err(RoundTripError::AnotherUser);
    }
    let (deployment, services) = (visit.deployment, visit.deployment.platform.services());
    let id = deployment.secrets.mint_id(services);
    if let Some(old) = old {
        check_replaceable(visit, owner, old).await?;
    }
    // (1)
    let reserve = AccountRequest::Reserve {
        authorization: URL_SAFE_NO_PAD.encode(sha256(&round_trip.state)),
        id: id.clone(),
        name: key.name.clone(),
        expires_at: visit.now + key.lifetime,
        // One that is replaced makes room afterwards.
        limit: deployment.settings.keys_per_user + u32::from(old.is_some()),
    };
    match deployment.account(owner, &reserve).await? {
        AccountAnswer::Used => return Err(RoundTripError::Used),
        AccountAnswer::Full => return Err(RoundTripError::Full),
        AccountAnswer::Done | AccountAnswer::Keys(_) | AccountAnswer::Grant(_) => {}
    }
    // (2)
    let grant = match obtain(visit, code, round_trip, owner, key).await {
        Ok(grant) => grant,
        Err(error) => {
            release(visit, owner, &id).await;
            return Err(error);
        }
    };
    // (3)
    let secret = Secret::new(random_base62(SECRET_LENGTH, services));
    let new = NewKey {
        secret: secret.expose().to_owned(),
        refresh_token: grant.refresh_token.expose().to_owned(),
        issuer: owner.issuer.clone(),
        subject: owner.subject.clone(),
        name: key.name.clone(),
        scopes: key.scopes.clone(),
        tools: key.tools.clone(),
        created_at: visit.now,
        expires_at: visit.now + key.lifetime,
        rotated_from: old.map(str::to_owned),
        grant_id: grant.grant_id.clone(),
    };
    match deployment.key(&id, KeyRequest::Create(Box::new(new))).await {
        Ok(KeyAnswer::Done) => {}
        Ok(_) => {
            release(visit, owner, &id).await;
            return Err(RoundTripError::NotMade);
        }
        Err(error) => {
            // Perhaps it was made. Its secret is known to nobody, so it goes, or else the list shows it.
            let undo = KeyRequest::Revoke { by: "creation".to_owned(), secret: None };
            match deployment.key(&id, undo).await {
                Ok(KeyAnswer::Unknown) => release(visit, owner, &id).await,
                // It was made, and has a grant, which the object of the user ends. If this fails, it asks by itself.
                Ok(KeyAnswer::Done) => {
                    let _ = deployment.account(owner, &AccountRequest::Gone { id: id.clone() }).await;
                }
                Ok(_) | Err(_) => {}
            }
            return Err(error.into());
        }
    }
    // (4) If this fails, the object of the user asks the key by itself.
    let confirm = AccountRequest::Confirm { id: id.clone(), grant_id: grant.grant_id };
    let confirmed = deployment.account(owner, &confirm).await;
    let event = if old.is_some() { Event::KeyRotated } else { Event::KeyCreated };
    deployment.audit().record(event, &id, &owner.subject, "user", old);
    let replaced = match old {
        Some(old) => Some(match revoke(deployment, old, "rotation", None).await {
            Ok(RevokedKey::Revoked { grant, .. }) => Replaced::Revoked(grant),
            Ok(RevokedKey::Unknown) | Err(_) => Replaced::StillWorks,
        }),
        None => None,
    };
    let whole = write(&deployment.settings.key_prefix, &id, &secret);
    let made =
        Made { key: &whole, name: &key.name, made_at: visit.now, expires_at: visit.now + key.lifetime, replaced };
    let outcome = shown(visit, session, &made).about(&id);
    Ok(match confirmed {
        Ok(_) => outcome,
        Err(error) => outcome.because(error.to_string()),
    })
}

fn shown<P>(visit: &Visit<'_, P>, session: &Session, made: &Made<'_>) -> Outcome {
    let mut outcome = Outcome::from(visit.pages.made(session, made));
    outcome.subject = Some(session.subject.clone());
    outcome
}

/// Checks that the key that is to be replaced still works: it may have been replaced or revoked since this round trip began.
async fn check_replaceable<P: Platform>(visit: &Visit<'_, P>, owner: &Owner, old: &str) -> Result<(), RoundTripError> {
    match visit.deployment.key(old, KeyRequest::Describe).await? {
        KeyAnswer::Key(key)
            if (&key.issuer, &key.subject) == (&owner.issuer, &owner.subject)
                && Status::of(&key, visit.deployment.settings.not_before, visit.now) == Status::Active =>
        {
            Ok(())
        }
        _ => Err(RoundTripError::NothingToReplace),
    }
}

/// Redeems the code and checks everything that the key will need.
async fn obtain<P: Platform>(
    visit: &Visit<'_, P>,
    code: &Code,
    round_trip: &RoundTrip,
    owner: &Owner,
    key: &RequestedKey,
) -> Result<Grant, RoundTripError> {
    let settings = &visit.deployment.settings;
    let (tokens, id_token) = redeem(visit, code, round_trip, Some(&settings.server.resource.url)).await?;
    if id_token.issuer != owner.issuer || id_token.subject != owner.subject {
        return Err(RoundTripError::AnotherUser);
    }
    let Tokens { access_token, refresh_token, .. } = tokens;
    let identity = visit.deployment.verify(&access_token, visit.now).await.map_err(RoundTripError::AccessToken)?;
    if identity.issuer() != owner.issuer || identity.subject() != owner.subject {
        return Err(RoundTripError::AnotherUser);
    }
    let client_id = identity.client_id();
    if client_id != Some(settings.client.client_id.as_str()) || identity.kind() == Kind::Machine {
        return Err(RoundTripError::NotOurs { client_id: client_id.map(str::to_owned) });
    }
    let (needed, granted) = (Scopes::parse(&key.scopes), identity.scopes());
    let missing: Vec<&str> = needed.iter().filter(|scope| !granted.contains(scope)).collect();
    if !missing.is_empty() {
        return Err(RoundTripError::FewerScopes { missing: missing.join(" ") });
    }
    let refresh_token = refresh_token.ok_or(RoundTripError::NoRefreshToken)?;
    Ok(Grant { refresh_token, grant_id: grant_id_of(access_token.expose()) })
}

/// Gives the room back. If this fails, the object of the user does it by itself, after asking the key.
async fn release<P: Platform>(visit: &Visit<'_, P>, owner: &Owner, id: &str) {
    let _ = visit.deployment.account(owner, &AccountRequest::Release { id: id.to_owned() }).await;
}
