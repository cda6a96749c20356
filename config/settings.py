"""Settings of every Bursar process, read from the environment (docs/configuration in README).

Without ``DATABASE_URL`` and ``REDIS_URL`` the addresses are those of the embedded servers under
``BURSAR_HOME``; without the secrets below, an embedded instance makes its own once.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ

from config import databases, production, unfold
from config.embedded import postgres, redis
from config.embedded.home import Home

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- The instance -----------------------------------------------------------------------------------
HOME = Home.from_environment()
BURSAR_HOME = HOME.path
EMBEDDED_DATABASE = not env.str("DATABASE_URL", default="")
EMBEDDED_REDIS = not env.str("REDIS_URL", default="")
BURSAR_EMBEDDED = EMBEDDED_DATABASE
BURSAR_DEMO = env.bool("BURSAR_DEMO", default=BURSAR_EMBEDDED)
# A server of one's own with real money in it: what is left open elsewhere must be said there.
BURSAR_PRODUCTION = not BURSAR_EMBEDDED and not BURSAR_DEMO
PORT = env.int("PORT", default=8000)
BURSAR_PUBLIC_URL = env.str("BURSAR_PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
BURSAR_SIMULATOR_URL = env.str("BURSAR_SIMULATOR_URL", default="").rstrip("/")
BURSAR_ANCHOR = Path(env.str("BURSAR_ANCHOR", default=str(BURSAR_HOME / "anchor.jsonl")))
# Who gets the daily mail with the heads of the ledger's chains.
BURSAR_ANCHOR_MAIL = env.list("BURSAR_ANCHOR_MAIL", default=[])
# Who is told at once when a proof of the books fails.
BURSAR_ALERT_MAIL = env.list("BURSAR_ALERT_MAIL", default=[])
# What a monitor sends as `Authorization: Bearer …`, or from where it may ask without.
BURSAR_MONITORING_TOKEN = env.str("BURSAR_MONITORING_TOKEN", default="")
BURSAR_MONITORING_ADDRESSES = env.list(
    "BURSAR_MONITORING_ADDRESSES", default=["127.0.0.1", "::1"] if BURSAR_EMBEDDED else []
)
# How long an accepted payment may go without its result before we ask for it.
BURSAR_ACCEPTED_FOR = timedelta(seconds=env.int("BURSAR_ACCEPTED_FOR_SECONDS", default=300))
# Networks of one's own to which webhooks may go although they are not public, such as 10.1.0.0/16.
BURSAR_WEBHOOK_NETWORKS = env.list("BURSAR_WEBHOOK_NETWORKS", default=[])
# How long messages to webhooks are kept after they were delivered or given up; the database keeps them 30 days.
BURSAR_WEBHOOK_MESSAGES_KEPT = timedelta(
    days=max(30, env.int("BURSAR_WEBHOOK_MESSAGES_KEPT_DAYS", default=90))
)
# How many proxies of ours stand before the web processes: so many addresses of X-Forwarded-For count.
BURSAR_TRUSTED_PROXIES = env.int("BURSAR_TRUSTED_PROXIES", default=0)

# The file that a supervised instance writes when everything but the web is up; /health/ waits for it.
BURSAR_READY_FILE = HOME.instance_file if env.str("BURSAR_SUPERVISED", default="") else None

# --- Secrets ----------------------------------------------------------------------------------------
secret = production.Secrets(env, HOME if BURSAR_EMBEDDED else None)
SECRET_KEY = secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Fernet keys, commas between them: the first encrypts, all decrypt.
BURSAR_ENCRYPTION_KEYS = production.fernet_keys(secret("BURSAR_ENCRYPTION_KEYS"))
BURSAR_INDEX_KEY = secret("BURSAR_INDEX_KEY").encode()
BURSAR_CHAIN_KEY = secret("BURSAR_CHAIN_KEY").encode()
BURSAR_OTP_KEY = secret("BURSAR_OTP_KEY").encode()

# --- Django -----------------------------------------------------------------------------------------
DEBUG = production.debug(env.bool("DEBUG", default=False), production=BURSAR_PRODUCTION)
ALLOWED_HOSTS = production.allowed_hosts(
    env.list("ALLOWED_HOSTS", default=[]),
    public_url=env.str("BURSAR_PUBLIC_URL", default=""),
    production=BURSAR_PRODUCTION,
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "ledger.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    # unfold's templates replace those of the admin
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # second factors alone: signing in is the admin's and the API's
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "ledger",
    "payments",
    "treasury",
    "periods",
    "config",
]

MIDDLEWARE = [
    "config.middleware.RequestIdentity",
    "config.middleware.SecurityPolicy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.BodyLimit",
    "config.middleware.OptionalSlash",
    "config.browsers.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "config.browsers.SignedIn",
    "config.browsers.Messages",
    "allauth.account.middleware.AccountMiddleware",
    "config.browsers.SecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database ---------------------------------------------------------------------------------------
# The run-time role may not change the ledger's tables; `manage.py migrate` asks for the owner.
DATABASE_ROLE = env.str("BURSAR_DATABASE_ROLE", default="runtime")
EMBEDDED_POSTGRES = postgres.Postgres.of(HOME)
if EMBEDDED_DATABASE:
    DATABASE_URL = EMBEDDED_POSTGRES.url()
    DATABASE_OWNER_URL = EMBEDDED_POSTGRES.url(role=postgres.OWNER)
else:
    DATABASE_URL = env.str("DATABASE_URL")
    DATABASE_OWNER_URL = production.owner_url(
        env.str("DATABASE_OWNER_URL", default=""),
        runtime_url=DATABASE_URL,
        needed=BURSAR_PRODUCTION and DATABASE_ROLE == "owner",
    )
DATABASES = {
    "default": databases.connection_settings(DATABASE_OWNER_URL, limits=databases.OWNER_LIMITS)
    if DATABASE_ROLE == "owner"
    else databases.connection_settings(
        DATABASE_URL,
        limits=databases.RUNTIME_LIMITS,
        pool_size=env.int("DATABASE_POOL_SIZE", default=0),
    )
}
# Reports read here while it is at most so many seconds behind.
DATABASE_REPLICA_URL = env.str("DATABASE_REPLICA_URL", default="")
BURSAR_REPLICA_LAG = env.int("BURSAR_REPLICA_LAG", default=30)
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = databases.replica_settings(DATABASE_REPLICA_URL)
DATABASE_ROUTERS = ["ledger.reports.Router"]

# --- Redis: cache and broker; nothing of value lives there ------------------------------------------
REDIS_URL = redis.Redis.of(HOME).url() if EMBEDDED_REDIS else env.str("REDIS_URL")
CELERY_BROKER_URL = redis.broker_url(REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "bursar",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

# --- Celery: wakes workers up; the work itself stands in PostgreSQL ---------------------------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A task that its worker did not finish is handed out again after the visibility timeout, so none may
# run that long.
CELERY_TASK_TIME_LIMIT = 240
CELERY_TASK_SOFT_TIME_LIMIT = 220
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "max_retries": 0,
    "global_keyprefix": "bursar.",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# With Redis down the caller must know at once; a sweeper finds what was not sent.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:SingleScheduler"

# --- People, sessions, cookies ----------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "config.pages.csrf_failed"
MFA_ADAPTER = "ledger.second_factor_adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
HTTPS = env.bool("HTTPS", default=BURSAR_PUBLIC_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Asked by machines within the deployment, which speak plain HTTP to the process itself.
SECURE_REDIRECT_EXEMPT = [r"^health/?$", r"^metrics/?$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BURSAR_TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 12 * 60 * 60
X_FRAME_OPTIONS = "DENY"

# --- Files, mail ------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BURSAR_HOME / "static")))
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BURSAR_HOME / "media")))
MEDIA_URL = "/media/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
BURSAR_LARGEST_JSON = DATA_UPLOAD_MAX_MEMORY_SIZE
BURSAR_LARGEST_UPLOAD = 6 * 1024 * 1024

MAIL_URL = env.str("EMAIL_URL", default="")
if MAIL_URL:
    vars().update(environ.Env.email_url_config(MAIL_URL))
    EMAIL_TIMEOUT = 10
else:
    # One file per message; an instance without a mail server shows them there.
    EMAIL_BACKEND = "config.mail.FolderBackend"
EMAIL_FILE_PATH = str(BURSAR_HOME / "mail")
# Any SMS gateway that takes a POST; without an address messages are written where mail is.
SMS_URL = env.str("SMS_URL", default="")
SMS_FORMAT = env.str("SMS_FORMAT", default="json")
SMS_SENDER = env.str("SMS_SENDER", default="")
# What the gateway calls `to`, `text` and `sender`, such as text=message,sender=from.
SMS_FIELDS = env.dict("SMS_FIELDS", default={})
# Such as Authorization=Bearer 123.
SMS_HEADERS = env.dict("SMS_HEADERS", default={})
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Bursar <bursar@localhost>")

# --- API --------------------------------------------------------------------------------------------
# Requests a minute: sign-ins from one address, codes of one person, writes with one token and of one
# person, writes from one address. Reading is not limited.
BURSAR_RATES = {
    "login": env.int("RATE_LOGIN", default=300),
    "codes": env.int("RATE_CODES", default=300),
    "writes": env.int("RATE_WRITES", default=60_000),
    "address": env.int("RATE_ADDRESS", default=120_000),
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ledger.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["config.throttling.Throttle"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.negotiation.Negotiation",
    "DEFAULT_RENDERER_CLASSES": ["config.rendering.Renderer"],
    "DEFAULT_PARSER_CLASSES": [
        "config.parsers.StrictJSONParser",
        "config.parsers.LimitedMultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "config.paging.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "config.problems.handler",
    # `?format=` is ours: a list comes as a file by it
    "URL_FORMAT_OVERRIDE": None,
    # left to the renderer, which writes milliseconds
    "DATETIME_FORMAT": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_TTL": timedelta(days=env.int("TOKEN_DAYS", default=30)),
    "TOKEN_LIMIT_PER_USER": None,
    "AUTO_REFRESH": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Bursar",
    "DESCRIPTION": "Money in, money out, and the books. Errors are RFC 9457 problem documents.",
    "VERSION": "1",
    "DEFAULT_GENERATOR_CLASS": "config.openapi.Generator",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "docExpansion": "none"},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # choices stand where they are used: every app has a `status` of its own
    "POSTPROCESSING_HOOKS": [],
}

# --- Admin ------------------------------------------------------------------------------------------
UNFOLD = unfold.UNFOLD

# --- Logging and metrics ----------------------------------------------------------------------------
# One JSON object per line, or `readable` while developing; never bodies, arguments or SQL.
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if BURSAR_PRODUCTION else "readable")
# Where each process keeps what it measured; prometheus_client reads it when it is first imported.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(BURSAR_HOME / "metrics"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "config.logs.JsonFormatter"},
        "readable": {"()": "config.logs.ReadableFormatter"},
    },
    "filters": {"no_health_checks": {"()": "config.logs.NoHealthChecks"}},
    "handlers": {
        "stream": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["no_health_checks"],
        }
    },
    "root": {"handlers": ["stream"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"level": "INFO", "handlers": [], "propagate": True},
        "django.server": {"level": "INFO", "handlers": [], "propagate": True},
        "django.db.backends": {"level": "WARNING"},
        # Their finer lines repeat URLs and task arguments, at any level of ours.
        "celery": {"level": "INFO"},
        **{
            name: {"level": "WARNING"}
            for name in (
                *("httpx", "httpcore", "kombu", "redis"),
                *("celery.app.trace", "celery.pool", "celery.worker.strategy"),
            )
        },
    },
}
