"""FastMCP's proxy with its verifier of tokens, as in its documentation. Its options are one JSON object."""

import json
import sys

from fastmcp.server import create_proxy
from fastmcp.server.auth.providers.jwt import JWTVerifier


def main(port: int, upstream: str, jwks_uri: str, issuer: str, audience: str, scope: str) -> None:
    auth = JWTVerifier(
        jwks_uri=jwks_uri, issuer=issuer, audience=audience, algorithm="RS256", required_scopes=[scope]
    )
    proxy = create_proxy(upstream, name="bench", auth=auth)
    proxy.run(
        transport="http",
        host="127.0.0.1",
        port=port,
        show_banner=False,
        log_level="error",
        stateless_http=True,
        json_response=True,
        uvicorn_config={"access_log": False},
    )


main(**json.loads(sys.argv[1]))
