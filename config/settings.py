"""Every setting, in one file. What differs between machines comes from the environment.

DATABASE_URL         the owner's login to a PostgreSQL (>= 15) database; set by `anze run` to the embedded one
ANZE_DATABASE_LOGIN  "owner" for migrations; otherwise the web login, which owns no table
ANZE_SECRET_KEY      else a random one kept in var/secret_key
ANZE_HOSTS           comma-separated host names the site answers to
ANZE_ORIGINS         comma-separated https://… whose forms are taken besides the host's own; behind a proxy that
                     changes the host name
ANZE_HTTPS           "1" behind a proxy that speaks TLS and sets X-Forwarded-Proto: cookies go over HTTPS only
ANZE_DEBUG           "1" shows tracebacks; never on a server others reach
ANZE_STATE           folder for what must outlive a restart (default var/)
ANZE_EVIDENCE_STORE  s3://bucket/prefix?endpoint=https://…&region=…: where photos and files are kept (default: a folder
                     of ANZE_STATE); its key comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
ANZE_CLAMD           host:port of a ClamAV daemon; then every file is scanned, and none is taken while it is away
ANZE_SITE            https://… by which people reach the site; stands in notices
ANZE_SMTP            smtp://user:password@host:port (or smtps://, smtp+tls://): notices by e-mail; ANZE_MAIL_FROM the sender
ANZE_SMS             "file" writes text messages into a file of ANZE_STATE; else the path of a provider's class
ANZE_PRIVATE_NETWORKS  comma-separated private networks that webhooks and connectors may lead into (default: none)
ANZE_PROXIES         how many proxies of yours stand before the server (default 0): whose word on addresses counts
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("ANZE_STATE") or ROOT / "var")
DEBUG = os.environ.get("ANZE_DEBUG") == "1"


def _secret_key() -> str:
    if given := os.environ.get("ANZE_SECRET_KEY"):
        return given
    kept = STATE / "secret_key"
    if not kept.exists():
        STATE.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return kept.read_text().strip()


SECRET_KEY = _secret_key()


def _database() -> dict[str, object]:
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set. Start with `make run`, which brings its own PostgreSQL, "
            "or set DATABASE_URL=postgresql://user:password@host:5432/database."
        )
    try:
        given = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as problem:
        raise ImproperlyConfigured(
            f"DATABASE_URL cannot be read ({str(problem).strip()}). "
            "Write it as postgresql://user:password@host:5432/database."
        ) from None
    name, user, password = given.get("dbname"), given.get("user"), given.get("password", "")
    if not name or not user:
        raise ImproperlyConfigured(
            "DATABASE_URL names no database or no user. Write it as postgresql://user:password@host:5432/database."
        )
    if os.environ.get("ANZE_DATABASE_LOGIN") != "owner":
        user = f"{name}_web"
        password = web_password(str(password))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": password,
        "HOST": given.get("host", ""),
        "PORT": str(given.get("port", "")),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"sslmode": given["sslmode"]} if given.get("sslmode") else {},
    }


def web_password(owner_password: str) -> str:
    """The web login's password, derived from the owner's, so that one setting is enough."""
    return hashlib.sha256(f"anze web login {owner_password}".encode()).hexdigest()


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ALLOWED_HOSTS = [h for h in os.environ.get("ANZE_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("ANZE_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "procrastinate.contrib.django",
    # the rooms, from the ground up
    "anze.kernel.apps.Room",
    "anze.screen.apps.Room",
    "anze.parties.apps.Room",
    "anze.notices.apps.Room",
    "anze.evidence.apps.Room",
    "anze.library.apps.Room",
    "anze.underwriting.apps.Room",
    "anze.claims.apps.Room",
    "anze.prevention.apps.Room",
    "anze.hazards.apps.Room",
    "anze.expenses.apps.Room",
    "anze.exchange.apps.Room",
    "anze.monitoring.apps.Room",
    "anze.assessment.apps.Room",
    "anze.web.apps.Room",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "anze.web.middleware.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "anze.web.middleware.ActorAndScope",
    "axes.middleware.AxesMiddleware",
]

PRIVATE_NETWORKS = [each for each in os.environ.get("ANZE_PRIVATE_NETWORKS", "").split(",") if each]
PROXIES = int(os.environ.get("ANZE_PROXIES", "0"))
CSRF_FAILURE_VIEW = "anze.web.errors.csrf_failed"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": sorted((ROOT / "anze").glob("*/templates")),
        "APP_DIRS": False,
        "OPTIONS": {"environment": "anze.screen.pages.environment", "context_processors": []},
    },
]

AUTH_USER_MODEL = "parties.Account"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "anze.web.sessions.Backend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

# Five failures lock the pair of account and address for fifteen minutes.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "anze.web.accounts.locked_out"
AXES_CLIENT_IP_CALLABLE = "anze.web.middleware.address_of"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
SILENCED_SYSTEM_CHECKS: list[str] = []
OTP_TOTP_ISSUER = "Anze"

# The longest a sign-in lasts; anze.web.middleware ends it earlier when nothing is asked for.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_ENGINE = "anze.web.sessions"
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("ANZE_HTTPS") == "1"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if os.environ.get("ANZE_HTTPS") == "1" else None
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "style-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS: list[str] = []
LANGUAGE_COOKIE_NAME = "language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
USE_THOUSAND_SEPARATOR = True

SITE = os.environ.get("ANZE_SITE", "")
_smtp = urlsplit(os.environ.get("ANZE_SMTP", ""))
EMAIL_IS_SET = bool(_smtp.hostname)
EMAIL_HOST, EMAIL_PORT = _smtp.hostname or "", _smtp.port or (465 if _smtp.scheme == "smtps" else 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_smtp.username or ""), unquote(_smtp.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _smtp.scheme == "smtps", _smtp.scheme == "smtp+tls"
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = os.environ.get("ANZE_MAIL_FROM", "anze@localhost")
SMS_PROVIDER = {"file": "anze.notices.sending.FileProvider"}.get(
    os.environ.get("ANZE_SMS", ""), os.environ.get("ANZE_SMS", "")
)

EVIDENCE_PARTS = STATE / "evidence" / "parts"  # uploads under way, on a disk all web servers share
EVIDENCE_CLAMD = os.environ.get("ANZE_CLAMD", "")


def _evidence_store() -> dict[str, object]:
    """Where photos and files are kept: a folder, or a bucket of an S3-compatible store."""
    given = urlsplit(os.environ.get("ANZE_EVIDENCE_STORE", ""))
    if not given.scheme:
        return {
            "BACKEND": "anze.evidence.actions.files.Disk",
            "OPTIONS": {"location": STATE / "evidence" / "files", "base_url": None},
        }
    if given.scheme != "s3" or not given.netloc:
        raise ImproperlyConfigured("ANZE_EVIDENCE_STORE is written as s3://bucket/prefix?endpoint=https://host:port")
    words = dict(parse_qsl(given.query))
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": given.netloc,
            "location": given.path.strip("/"),
            "endpoint_url": words.get("endpoint"),
            "region_name": words.get("region"),
            "addressing_style": "path" if words.get("endpoint") else None,
            "default_acl": None,
            "file_overwrite": True,  # a name is its content's hash, so the same name is the same content
        },
    }


STATIC_URL = "/static/"
STATIC_ROOT = None  # the server hands out the files where they lie; nothing is collected
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "evidence": _evidence_store(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 24 * 3600  # addresses carry the content's fingerprint
MEDIA_ROOT = STATE / "media"
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a record may have two times 200 lines of several fields
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 2000},
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"anze": {"level": "INFO"}, "axes": {"level": "ERROR"}},
}
