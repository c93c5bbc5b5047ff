//! A request to a service with the user's token, and what becomes of its answer.

use mcp_edge::{Call, ServiceAccess, ToolError};

use crate::web::{Answer, Web};

/// Gets the document at `path`, which follows the base URL of the connection, for the user who calls.
///
/// # Errors
/// Without a connected account, `?` on [`Call::access`] leaves the tool, and the client learns where its user connects one.
/// Every other failure is said as far as a model can do something about it.
pub async fn get<W: Web>(call: &Call<W>, connection: &str, path: &str) -> Result<String, ToolError> {
    let access = call.access(connection).await?;
    let mut answer = send(call, &access, path).await?;
    if answer.status == 401 {
        // The token was good when it was given out, but the service thinks otherwise. Another one is asked for, once: if the
        // user has ended the grant there, this is where the tool is left, and the user connects the account again.
        let access = call.access_anew(&access).await?;
        answer = send(call, &access, path).await?;
    }
    match answer.status {
        200 => Ok(answer.body),
        403 => Err(ToolError::new(format!("{connection} does not allow this to the user's account"))),
        429 | 500..=599 => Err(unreachable(connection)),
        status => Err(ToolError::internal(format!("{connection} answered {status}"))),
    }
}

async fn send<W: Web>(call: &Call<W>, access: &ServiceAccess, path: &str) -> Result<Answer, ToolError> {
    let url = format!("{}{path}", access.url.trim_end_matches('/'));
    // Fails for another origin than the connection's: a token goes nowhere else.
    let authorization = access.authorization_for(&url).map_err(ToolError::internal)?;
    call.env().get(&url, &authorization).await.map_err(|_| unreachable(&access.connection))
}

fn unreachable(connection: &str) -> ToolError {
    ToolError::new(format!("{connection} cannot be reached at the moment; try again in a minute"))
}
