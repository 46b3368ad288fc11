"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.calculators import limitation

urlpatterns = [
    path("limitation/", limitation.calculator_limitation, name="calculator_limitation"),
]
