"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.countries import pages

urlpatterns = [
    path("countries/", pages.countries, name="countries"),
    path("countries/<str:code>/", pages.country, name="country"),
]
