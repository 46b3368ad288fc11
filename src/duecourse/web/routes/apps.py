"""The app's entry in Django's registry."""

from django.apps import AppConfig


class RoutesConfig(AppConfig):
    """duecourse.web.routes."""

    name = "duecourse.web.routes"
    label = "routes"
    default_auto_field = "django.db.models.BigAutoField"
