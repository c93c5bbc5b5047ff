"""Lists the tools of a server with the official Python client, and calls some. Prints what it has seen as JSON."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, token: str, mode: str, calls: dict[str, dict]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            failed = {}
            for name, arguments in calls.items():
                result = await client.call_tool(name, arguments)
                if result.is_error:
                    failed[name] = result.content[0].text
    print(json.dumps({"tools": tools, "failed": failed}))


asyncio.run(main(**json.loads(sys.argv[1])))
