"""The app's entry in Django's registry."""

from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """duecourse.web.imports."""

    name = "duecourse.web.imports"
    label = "imports"
    default_auto_field = "django.db.models.BigAutoField"
