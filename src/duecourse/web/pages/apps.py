"""The app's entry in Django's registry."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """duecourse.web.pages."""

    name = "duecourse.web.pages"
    label = "pages"
    default_auto_field = "django.db.models.BigAutoField"
