"""The app's entry in Django's registry."""

from django.apps import AppConfig


class LettersConfig(AppConfig):
    """duecourse.web.letters."""

    name = "duecourse.web.letters"
    label = "letters"
    default_auto_field = "django.db.models.BigAutoField"
