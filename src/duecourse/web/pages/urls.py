"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from duecourse.web.pages import appearance, components, dashboard
from duecourse.web.pages import help as help_pages

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("choose/", appearance.choose, name="choose"),
    path("components/", components.components, name="components"),
    path("help/", help_pages.index, name="help"),
    path("help/<slug:slug>/", help_pages.page, name="help_page"),
]
