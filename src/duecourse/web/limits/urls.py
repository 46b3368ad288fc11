"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.limits import decisions, letter, pages, portfolio, review, rules

urlpatterns = [
    path("limits/", pages.queue, name="limits"),
    path("limits/<int:pk>/", pages.limit, name="limit"),
    path("limits/<int:pk>/consent/", pages.consent, name="limits_consent"),
    path("limits/<int:pk>/refuse/", pages.refuse, name="limits_refuse"),
    path("limits/<int:pk>/withdraw/", pages.withdraw, name="limits_withdraw"),
    path("limits/<int:pk>/measure/", pages.measure, name="limits_measure"),
    path("limits/<int:pk>/letter/", letter.letter, name="limits_letter"),
    path("limits/<int:pk>/letter.pdf", letter.letter_pdf, name="limits_letter_pdf"),
    path("limits/review/", review.limits_review, name="limits_review"),
    path("limits/review/accept/", review.limits_review_accept, name="limits_review_accept"),
    path("limits/rules/", rules.limits_rules, name="limits_rules"),
    path("limits/rules/try/", rules.limits_rules_try, name="limits_rules_try"),
    path("limits/rules/trial/<int:pk>/", rules.limits_trial, name="limits_rules_trial"),
    path("limits/rules/trial/<int:pk>/keep/", rules.limits_rules_keep, name="limits_rules_keep"),
    path("limits/authority/", rules.limits_authority, name="limits_authority"),
    path("limits/authority/keep/", rules.limits_authority_keep, name="limits_authority_keep"),
    path("portfolio/", portfolio.portfolio, name="portfolio"),
    path("decisions/<key:decision_id>/", decisions.decision, name="decision"),
    path("buyers/<key:buyer_id>/limit/", pages.buyer_limit, name="buyer_limit"),
    path("buyers/<key:buyer_id>/limit/request/", pages.limit_request, name="buyer_limit_request"),
]
