"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.calculators import interest, limitation

urlpatterns = [
    path("limitation/", limitation.calculator_limitation, name="calculator_limitation"),
    path("interest/", interest.calculator_interest, name="calculator_interest"),
    path("rates/", interest.calculator_rates, name="calculator_rates"),
    path("rates/set/", interest.calculator_rate_set, name="calculator_rate_set"),
]
