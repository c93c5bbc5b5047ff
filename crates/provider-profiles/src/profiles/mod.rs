//! The profiles, one file for each provider.

pub mod auth0;
pub mod cognito;
pub mod entra;
pub mod generic;
pub mod keycloak;
pub mod logto;
pub mod okta;
pub mod supabase;
pub mod workos;

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
