"""Calls a tool with the official Python client, and again each time that it is sent a line. Prints each result as JSON."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, token: str, mode: str, tool: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            while True:
                result = await client.call_tool(tool, {})
                text = result.content[0].text
                print(json.dumps({"is_error": result.is_error, "text": text, "structured": result.structured_content}), flush=True)
                if not await asyncio.to_thread(sys.stdin.readline):
                    return


asyncio.run(main(**json.loads(sys.argv[1])))
