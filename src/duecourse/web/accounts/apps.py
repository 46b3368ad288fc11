"""The app's entry in Django's registry."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """duecourse.web.accounts."""

    name = "duecourse.web.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what belongs into the audit trail; let no connection outlive its database."""
        from duecourse.web import keeping_open  # noqa: PLC0415 — Django must be there
        from duecourse.web.accounts import signals  # noqa: F401, PLC0415 — connects by being imported

        keeping_open.watch()
