//! The profiles, one file for each provider.

mod auth0;
mod cognito;
mod entra;
mod generic;
mod keycloak;
mod logto;
mod okta;
mod supabase;
mod workos;

pub use auth0::AUTH0;
pub use cognito::COGNITO;
pub use entra::ENTRA;
pub use generic::GENERIC;
pub use keycloak::KEYCLOAK;
pub use logto::LOGTO;
pub use okta::OKTA;
pub use supabase::SUPABASE;
pub use workos::WORKOS;

use crate::profile::Profile;

/// All profiles, the default first.
pub const ALL: [&Profile; 9] = [&GENERIC, &LOGTO, &AUTH0, &COGNITO, &ENTRA, &KEYCLOAK, &OKTA, &SUPABASE, &WORKOS];
