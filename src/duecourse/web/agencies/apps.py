"""The app's entry in Django's registry."""

from django.apps import AppConfig


class AgenciesConfig(AppConfig):
    """duecourse.web.agencies."""

    name = "duecourse.web.agencies"
    label = "agencies"
    default_auto_field = "django.db.models.BigAutoField"
