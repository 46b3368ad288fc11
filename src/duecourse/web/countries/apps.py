"""The app's entry in Django's registry."""

from django.apps import AppConfig


class CountriesConfig(AppConfig):
    """duecourse.web.countries."""

    name = "duecourse.web.countries"
    label = "countries"
    default_auto_field = "django.db.models.BigAutoField"
