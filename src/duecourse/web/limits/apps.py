"""The app's entry in Django's registry."""

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    """duecourse.web.limits."""

    name = "duecourse.web.limits"
    label = "limits"
    default_auto_field = "django.db.models.BigAutoField"
