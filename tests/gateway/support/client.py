"""Lists the tools of a server with the official Python client and calls some. Prints what it has seen as JSON."""

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
            results = {}
            for name, arguments in calls.items():
                try:
                    result = await client.call_tool(name, arguments)
                    results[name] = result.content[0].text
                except Exception as error:
                    results[name] = f"error: {error}"
            print(json.dumps({"tools": tools, "results": results, "version": client.session.protocol_version}))


asyncio.run(main(**json.loads(sys.argv[1])))
