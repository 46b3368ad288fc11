"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.watch import pages, rules, runs

urlpatterns = [
    path("alerts/", pages.alerts, name="alerts"),
    path("alerts/rules/", rules.alerts_rules, name="alerts_rules"),
    path("alerts/rules/keep/", rules.alerts_rules_keep, name="alerts_rules_keep"),
    path("alerts/<int:pk>/", pages.alert, name="alert"),
    path("alerts/<int:pk>/acknowledge/", pages.alert_acknowledge, name="alert_acknowledge"),
    path("alerts/<int:pk>/assign/", pages.alert_assign, name="alert_assign"),
    path("alerts/<int:pk>/snooze/", pages.alert_snooze, name="alert_snooze"),
    path("alerts/<int:pk>/wake/", pages.alert_wake, name="alert_wake"),
    path("alerts/<int:pk>/note/", pages.alert_note, name="alert_note"),
    path("alerts/<int:pk>/close/", pages.alert_close, name="alert_close"),
    path("runs/", runs.runs, name="runs"),
    path("runs/now/", runs.run_now, name="runs_now"),
    path("runs/<int:pk>/", runs.run, name="runs_day"),
]
