"""The app's entry in Django's registry."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """duecourse.web.accounts."""

    name = "duecourse.web.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
