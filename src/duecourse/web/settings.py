"""Django's settings. What a person may choose stands in `environment`; the rest is decided here."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from duecourse.web import environment as env
from duecourse.web import logs
from duecourse.web.accounts import sign_in

HERE = Path(__file__).parent

SECRET_KEY = env.secret_key()
DEBUG = env.DEBUG
_address = urlsplit(env.BASE_URL)
HTTPS = _address.scheme == "https"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *([_address.hostname] if _address.hostname else []), *env.HOSTS]
CSRF_TRUSTED_ORIGINS = [env.BASE_URL]

INSTALLED_APPS = [
    "duecourse.web.accounts",
    "duecourse.web.pages",
    "duecourse.web.api",
    "duecourse.web.imports",
    "duecourse.web.jobs",
    "duecourse.web.outbox",
    "duecourse.web.limits",
    "duecourse.web.orders",
    "duecourse.web.evidence",
    "duecourse.web.grades",
    "duecourse.web.notices",
    "duecourse.web.watch",
    "duecourse.web.letters",
    "duecourse.web.review",
    "duecourse.web.calculators",
    "duecourse.web.routes",
    "duecourse.web.countries",
    "duecourse.web.agencies",
    "duecourse.web.cases",
    "duecourse.web.documents",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "django_htmx",
    "csp",
    "ninja",
]

MIDDLEWARE = [
    "duecourse.web.health.Operations",
    "duecourse.web.logs.RequestLog",
    "duecourse.web.middleware.ServerTiming",
    "duecourse.web.api.edge.ApiFaults",
    "django.middleware.security.SecurityMiddleware",
    "duecourse.web.accounts.security.Headers",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "duecourse.web.accounts.security.SessionLimits",
    "duecourse.web.middleware.Language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "duecourse.web.accounts.first_run.FirstRun",
    "duecourse.web.accounts.second_factor.SecondFactor",
    "duecourse.web.accounts.seeing.Seen",
    "duecourse.web.middleware.ViewpointMiddleware",
    "duecourse.web.accounts.security.UploadLimit",
]

ROOT_URLCONF = "duecourse.web.urls"
WSGI_APPLICATION = "duecourse.web.wsgi.application"
AUTH_USER_MODEL = "accounts.Person"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "duecourse.web.context.frame",
            ],
            "builtins": [
                "duecourse.web.pages.templatetags.keeping",
                "duecourse.web.pages.templatetags.duecourse",
                "django_htmx.templatetags.django_htmx",
            ],
        },
    }
]


def _database() -> dict[str, Any]:
    if not env.DATABASE_URL:
        env.HOME.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": env.HOME / "desk.sqlite3",
            "CONN_MAX_AGE": 60,  # opening a file and its settings takes longer than most questions
            "TEST": {"NAME": env.HOME / "test.sqlite3"},  # a file as in production, not memory: tests with threads meet real locks
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: an acknowledged decision survives a power cut.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    url = urlsplit(env.DATABASE_URL)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.TIME_ZONE

STATIC_URL = "static/"
STATIC_ROOT = env.HOME / "static"
_MADE = env.HOME / "made"  # see static_bundle
_MADE.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [HERE / "static", _MADE]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": env.HOME / "uploads"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = logs.configuration()

SESSION_ENGINE = "duecourse.web.accounts.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
        "report-uri": "/csp-report/",
    }
}

SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# Counts of failed sign-ins. In the database: shared by every process and machine, and adding a key is atomic, which a lock needs.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_remembered",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # so that a flood of made-up names does not push out the counts of the true one
    }
}

SESSION_COOKIE_AGE = 14 * 24 * 3600  # of somebody who asked to be remembered; see accounts.security.SessionLimits for everybody else

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

CSRF_FAILURE_VIEW = "duecourse.web.pages.errors.form_refused"

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"

AUTHENTICATION_BACKENDS = ["duecourse.web.accounts.sessions.People"]
ACCOUNT_ADAPTER = "duecourse.web.accounts.adapters.Accounts"
ACCOUNT_FORMS = {name: f"duecourse.web.accounts.sign_in_forms.{form}" for name, form in sign_in.FORMS.items()}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # who comes in was invited at that address
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = bool(env.EMAIL_URL)
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reset_password": "20/m/ip,5/h/key"}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _address.scheme
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ALLAUTH_TRUSTED_PROXY_COUNT = env.PROXIES

MFA_ADAPTER = "duecourse.web.accounts.adapters.SecondFactors"
MFA_FORMS = {name: f"duecourse.web.accounts.sign_in_forms.{form}" for name, form in sign_in.FACTOR_FORMS.items()}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Duecourse 如期"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

SOCIALACCOUNT_ADAPTER = "duecourse.web.accounts.adapters.Providers"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": sign_in.providers(env.OIDC)}}
SOCIALACCOUNT_LOGIN_ON_GET = True  # a form would be stopped by form-action on its way to the provider; nothing can be connected this way
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if env.EMAIL_URL else "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.EMAIL_FROM or f"duecourse@{_address.hostname}"
EMAIL_TIMEOUT = 15
for _name, _value in sign_in.mail(env.EMAIL_URL).items():
    globals()[_name] = _value
