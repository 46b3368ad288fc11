"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from duecourse.web.pages import appearance, components, dashboard, help

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("choose/", appearance.choose, name="choose"),
    path("components/", components.components, name="components"),
    path("help/", help.index, name="help"),
    path("help/<slug:slug>/", help.page, name="help_page"),
]
