"""The app's entry in Django's registry."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """duecourse.web.api."""

    name = "duecourse.web.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"
