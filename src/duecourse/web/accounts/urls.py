"""Addresses of this room. allauth's own pages stand under /account/, those that are in use (see `account_urls`)."""

from __future__ import annotations

from django.urls import path

from duecourse.web.accounts import entering, own, people, security, trail

urlpatterns = [
    path("setup/", entering.setup, name="setup"),
    path("join/<str:token>/", entering.join, name="join"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/groups/", people.groups, name="people_groups"),
    path("people/invitations/<int:pk>/<slug:deed>/", people.invitation, name="invitation"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/<slug:deed>/", people.do, name="person_do"),
    path("profile/", own.profile, name="profile"),
    path("profile/keys/new/", own.new_key, name="key_new"),
    path("profile/keys/<int:pk>/revoke/", own.revoke_key, name="key_revoke"),
    path("audit/", trail.trail, name="audit"),
    path("audit/export/", trail.export, name="audit_export"),
    path("audit/verify/", trail.verify, name="audit_verify"),
    path("csp-report/", security.csp_report, name="csp_report"),
]
