"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from duecourse.web.pages import dashboard

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
]
