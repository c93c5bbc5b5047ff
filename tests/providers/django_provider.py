"""django-oauth-toolkit in the smallest Django project that has users: settings, URLs, and a sign-in page.

`setup` creates the database, the user and the clients; `serve` runs the server. The environment names the port, the
folder of the database, the scopes, and the form of access tokens: "opaque", the default of django-oauth-toolkit, or "jwt".
"""

import json
import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings

FOLDER = Path(os.environ["PROVIDER_FOLDER"])
ORIGIN = f"http://127.0.0.1:{os.environ['PROVIDER_PORT']}"
SCOPES = os.environ["PROVIDER_SCOPES"].split()
REDIRECT_URL = os.environ["PROVIDER_REDIRECT_URL"]

# The documents do not say by themselves that clients without a secret are accepted.
AUTH_METHODS = ["none", "client_secret_post", "client_secret_basic"]

LOGIN_PAGE = """<!doctype html><title>Sign in</title><form action="" method="post">{% csrf_token %}
{% for field in form %}{{ field }}{% endfor %}<button type="submit">Sign in</button></form>"""


def access_token(request):
    """Writes an access token as RFC 9068 describes it, in place of a random string."""
    from jwcrypto import jwt
    from oauth2_provider.settings import oauth2_settings
    from oauth2_provider.utils import jwk_from_pem

    key = jwk_from_pem(oauth2_settings.OIDC_RSA_PRIVATE_KEY)
    client, user, now = request.client.client_id, request.user, int(time.time())
    claims = {
        "iss": oauth2_settings.OIDC_ISS_ENDPOINT,
        "sub": str(user.pk) if user else client,
        "aud": request.resource or client,
        "client_id": client,
        "scope": " ".join(request.scopes),
        "iat": now,
        "exp": now + request.expires_in,
        "jti": os.urandom(16).hex(),
    }
    if user:
        claims |= {"auth_time": int(user.last_login.timestamp()), "username": user.get_username(), "email": user.email}
    token = jwt.JWT(header={"typ": "at+jwt", "alg": "RS256", "kid": key.thumbprint()}, claims=claims)
    token.make_signed_token(key)
    return token.serialize()


settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "db.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    LOGIN_URL="/login/",
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": f"{ORIGIN}/o",
        "OIDC_RSA_PRIVATE_KEY": (FOLDER / "key.pem").read_text(),
        "SCOPES": {scope: scope for scope in ["openid", "introspection", *SCOPES]},
        "DEFAULT_SCOPES": [],
        "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
        "ACCESS_TOKEN_GENERATOR": access_token if os.environ["PROVIDER_TOKENS"] == "jwt" else None,
        # By default refresh tokens come from the same generator: then they would be good as access tokens.
        "REFRESH_TOKEN_GENERATOR": "oauthlib.oauth2.rfc6749.tokens.random_token_generator",
        "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
        "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": AUTH_METHODS,
        "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": AUTH_METHODS,
        "DCR_ENABLED": True,
        "DCR_REGISTRATION_PERMISSION_CLASSES": ("oauth2_provider.dcr.AllowAllDCRPermission",),
        "CIMD_ENABLED": True,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.urandom(16).hex() if sys.argv[1] == "setup" else (FOLDER / "secret").read_text(),
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN_PAGE}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.views import LoginView  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.urls import metadata_urlpatterns  # noqa: E402

urlpatterns = [
    path("login/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include((metadata_urlpatterns, "metadata"))),
]


def set_up() -> None:
    """Creates the database, one user and the clients."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    (FOLDER / "secret").write_text(settings.SECRET_KEY)
    call_command("migrate", verbosity=0)
    account = json.loads(os.environ["PROVIDER_USER"])
    User.objects.create_user(account["username"], account["email"], account["password"])
    for name, client in json.loads(os.environ["PROVIDER_CLIENTS"]).items():
        secret = client.get("client_secret")
        Application.objects.create(
            name=name,
            client_id=client["client_id"],
            client_secret=secret or "",
            client_type=Application.CLIENT_CONFIDENTIAL if secret else Application.CLIENT_PUBLIC,
            authorization_grant_type=(
                Application.GRANT_CLIENT_CREDENTIALS if secret else Application.GRANT_AUTHORIZATION_CODE
            ),
            redirect_uris="" if secret else REDIRECT_URL,
            algorithm=Application.RS256_ALGORITHM,
        )


if __name__ == "__main__":
    if sys.argv[1] == "setup":
        set_up()
    else:
        from wsgiref.simple_server import make_server

        from django.core.wsgi import get_wsgi_application

        make_server("127.0.0.1", int(os.environ["PROVIDER_PORT"]), get_wsgi_application()).serve_forever()
