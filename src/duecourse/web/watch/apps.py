"""The app's entry in Django's registry."""

from django.apps import AppConfig


class WatchConfig(AppConfig):
    """duecourse.web.watch."""

    name = "duecourse.web.watch"
    label = "watch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The summary of a digest is drawn here."""
        from duecourse.web.notices import composing  # noqa: PLC0415 — once the apps are loaded
        from duecourse.web.watch.digests import summary  # noqa: PLC0415

        composing.DRAWERS["summary"] = summary
