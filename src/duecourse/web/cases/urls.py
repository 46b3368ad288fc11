"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.cases import forms, pages, rules

urlpatterns = [
    path("today/", pages.today, name="today"),
    path("today/export.<slug:form>", pages.today_export, name="today_export"),
    path("cases/", pages.cases, name="cases"),
    path("cases/export.<slug:form>", pages.cases_export, name="cases_export"),
    path("cases/rules/", rules.cases_rules, name="cases_rules"),
    path("cases/rules/keep/", rules.cases_rules_keep, name="cases_rules_keep"),
    path("cases/<int:pk>/", pages.case, name="case"),
    path("cases/<int:pk>/assign/", forms.case_assign, name="case_assign"),
    path("cases/<int:pk>/note/", forms.case_note, name="case_note"),
    path("cases/<int:pk>/call/", forms.case_call, name="case_call"),
    path("cases/<int:pk>/happened/", forms.case_happened, name="case_happened"),
    path("cases/<int:pk>/dispute/", forms.case_dispute, name="case_dispute"),
    path("cases/<int:pk>/plan/", forms.case_plan, name="case_plan"),
    path("cases/<int:pk>/pause/", forms.case_pause, name="case_pause"),
    path("cases/<int:pk>/resume/", forms.case_resume, name="case_resume"),
    path("cases/<int:pk>/task/", forms.case_task, name="case_task"),
    path("cases/<int:pk>/close/", forms.case_close, name="case_close"),
    path("cases/tasks/<int:pk>/end/", forms.task_end, name="task_end"),
    path("buyers/<key:buyer_id>/case/", forms.case_open, name="case_open"),
]
