//! The names of agents, for pages.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::{
    connection::caller::Agent,
    deployment::{Deployment, Owner},
    key::message::{Answer, Request},
    keyring::is_of,
    pages::agent::KeyNames,
    platform::Platform,
};

/// So many keys are asked for their names.
const MAX_ASKED: usize = 20;

/// The names of the access keys among these agents that are `owner`'s. One that cannot be asked has none: its id is shown.
pub async fn key_names<'a, P: Platform>(
    deployment: &Deployment<P>,
    owner: &Owner,
    agents: impl Iterator<Item = &'a Agent>,
) -> KeyNames {
    let ids: BTreeSet<&str> = agents
        .filter_map(|agent| match agent {
            Agent::AccessKey(id) if deployment.secrets.is_own_id(id) => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let asked = ids.into_iter().take(MAX_ASKED).map(async |id| {
        let name = match deployment.key(id, Request::Describe).await {
            Ok(Answer::Key(key)) if is_of(&key, owner) => Some(key.name),
            Ok(_) | Err(_) => None,
        };
        Some((id.to_owned(), name?))
    });
    KeyNames(join_all(asked).await.into_iter().flatten().collect())
}
