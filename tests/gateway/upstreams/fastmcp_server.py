"""A FastMCP server that accepts assertions of a gateway, and tells its tools who calls. Its options are one JSON object."""

import asyncio
import json
import sys

from fastmcp import Context, FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token


def main(port: int, jwks_uri: str, issuer: str, audience: str) -> None:
    auth = JWTVerifier(jwks_uri=jwks_uri, issuer=issuer, audience=audience, algorithm="ES256")
    server = FastMCP("fastmcp", auth=auth)

    @server.tool
    def claims() -> dict:
        """The claims of the caller's assertion."""
        return get_access_token().claims

    @server.tool
    async def slow(steps: int, context: Context) -> str:
        """Reports progress, some milliseconds apart, and who it is for."""
        subject = get_access_token().claims["sub"]
        for step in range(steps):
            await context.report_progress(step + 1, steps, subject)
            await asyncio.sleep(0.02)
        return subject

    @server.tool
    def delete_everything() -> str:
        """Deletes everything."""
        return "deleted"

    @server.resource("notes://mine")
    def mine() -> str:
        """The notes of the caller."""
        return f"notes of {get_access_token().claims['sub']}"

    @server.resource("notes://{name}/text")
    def note(name: str) -> str:
        """One note."""
        return f"the note {name}"

    @server.prompt
    def greet(name: str) -> str:
        """Greets somebody."""
        return f"Greet {name}"

    server.run(transport="http", host="127.0.0.1", port=port, show_banner=False, log_level="warning")


main(**json.loads(sys.argv[1]))
