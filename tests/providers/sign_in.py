"""Signs in with the official Python client and calls `whoami`.

Its argument is JSON: the URL of the MCP endpoint, the mode of the client, and the client's registration, if the provider
knows the client already. It prints one line of JSON with the URL of the sign-in page, reads the redirect URI that the
browser was sent to from standard input, and prints the result of `whoami` as another line.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata


class Storage:
    """What the client keeps between requests."""

    def __init__(self, client: OAuthClientInformationFull | None) -> None:
        self.client = client
        self.tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client


async def show(url: str) -> None:
    print(json.dumps({"authorizationUrl": url}), flush=True)


async def callback() -> AuthorizationCodeResult:
    line = await asyncio.to_thread(sys.stdin.readline)
    query = {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
    return AuthorizationCodeResult(code=query.get("code", ""), state=query.get("state"), iss=query.get("iss"))


async def main(url: str, mode: str, metadata: dict, client: dict | None = None) -> None:
    storage = Storage(client and OAuthClientInformationFull(**{**metadata, **client}))
    auth = OAuthClientProvider(
        server_url=url,
        client_metadata=OAuthClientMetadata(**metadata),
        storage=storage,
        redirect_handler=show,
        callback_handler=callback,
    )
    async with httpx2.AsyncClient(auth=auth, timeout=60) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as session:
            result = await session.call_tool("whoami", {})
            if result.is_error:
                raise RuntimeError(result.content[0].text)
    print(json.dumps({"whoami": result.structured_content}), flush=True)


asyncio.run(main(**json.loads(sys.argv[1])))
