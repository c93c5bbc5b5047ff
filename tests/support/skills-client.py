"""Lists the skills of a server with FastMCP's client and reads each. Prints what it has read and verified as JSON."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.auth import BearerAuth
from fastmcp.skills.client import SkillsClientExtension


async def main(url: str, token: str) -> None:
    async with Client(url, auth=BearerAuth(token), extensions=[SkillsClientExtension()]) as client:
        seen = {}
        for entry in await client.list_skills():
            skill = await client.read_skill(entry.uri)
            seen[entry.uri] = {"frontmatter": skill.frontmatter.root, "files": len(entry.resources)}
        print(json.dumps(seen))


asyncio.run(main(**json.loads(sys.argv[1])))
