"""The app's entry in Django's registry."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """duecourse.web.outbox."""

    name = "duecourse.web.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
