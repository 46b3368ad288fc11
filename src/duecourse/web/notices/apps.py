"""The app's entry in Django's registry."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """duecourse.web.notices."""

    name = "duecourse.web.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"
