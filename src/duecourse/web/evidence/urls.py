"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.evidence import entry, evidence, feeds, files, screening, statements

urlpatterns = [
    path("screening/", screening.screening, name="screening"),
    path("screening/run", screening.run, name="screening_run"),
    path("screening/lists", screening.upload, name="screening_upload"),
    path("screening/<int:pk>/verdict", screening.verdict, name="screening_verdict"),
    path("feeds/", feeds.feeds, name="feeds"),
    path("feeds/verdict/", feeds.verdict, name="feeds_verdict"),
    path("feeds/keep/", feeds.keep, name="feeds_keep"),
    path("feeds/pause/", feeds.pause, name="feeds_pause"),
    path("feeds/remove/", feeds.remove, name="feeds_remove"),
    path("feeds/ask/", feeds.ask, name="feeds_ask"),
    path("feeds/upload/", feeds.upload, name="feeds_upload"),
    path("buyers/<key:buyer_id>/evidence", evidence.evidence, name="buyer_evidence"),
    path("buyers/<key:buyer_id>/evidence/add", evidence.add, name="buyer_evidence_add"),
    path("buyers/<key:buyer_id>/evidence/end", evidence.end, name="buyer_evidence_end"),
    path("buyers/<key:buyer_id>/evidence/withdraw", evidence.withdraw, name="buyer_evidence_withdraw"),
    path("buyers/<key:buyer_id>/statements", statements.statements, name="buyer_statements"),
    path("buyers/<key:buyer_id>/statements/new", entry.enter, name="buyer_statements_new"),
    path("buyers/<key:buyer_id>/statements/check", entry.check, name="buyer_statements_check"),
    path("buyers/<key:buyer_id>/statements/withdraw", entry.withdraw, name="buyer_statements_withdraw"),
    path("buyers/<key:buyer_id>/statements/template.<slug:form>", files.template, name="buyer_statements_template"),
    path("buyers/<key:buyer_id>/statements/upload", files.upload, name="buyer_statements_upload"),
    path("buyers/<key:buyer_id>/statements/files/<int:pk>", files.file, name="buyer_statements_file"),
    path("buyers/<key:buyer_id>/statements/files/<int:pk>/preview", files.preview, name="buyer_statements_preview"),
    path("buyers/<key:buyer_id>/statements/files/<int:pk>/enter", files.enter, name="buyer_statements_enter"),
    path("buyers/<key:buyer_id>/statements/files/<int:pk>/discard", files.discard, name="buyer_statements_discard"),
]
