"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.documents import forms, pages

urlpatterns = [
    path("cases/<int:pk>/documents/", pages.case_documents, name="case_documents"),
    path("buyers/<key:buyer_id>/documents/", pages.buyer_documents, name="buyer_documents"),
    path("buyers/<key:buyer_id>/documents/packages/", pages.documents_packages, name="documents_packages"),
    path("buyers/<key:buyer_id>/documents/pack/", forms.documents_pack, name="documents_pack"),
    path("buyers/<key:buyer_id>/documents/<slug:document_id>/", pages.document, name="document"),
    path("buyers/<key:buyer_id>/documents/<slug:document_id>/file/", pages.document_file, name="document_file"),
    path("buyers/<key:buyer_id>/documents/<slug:document_id>/describe/", forms.document_describe, name="document_describe"),
    path("buyers/<key:buyer_id>/documents/<slug:document_id>/link/", forms.document_link, name="document_link"),
    path("buyers/<key:buyer_id>/documents/<slug:document_id>/unlink/", forms.document_unlink, name="document_unlink"),
    path("buyers/<key:buyer_id>/documents/<slug:document_id>/withdraw/", forms.document_withdraw, name="document_withdraw"),
    path("documents/upload/<key:buyer_id>/", forms.documents_upload, name="documents_upload"),
    path("documents/packages/<int:pk>.<slug:form>", pages.documents_package, name="documents_package"),
    path("documents/custody/", pages.custody_log, name="custody"),
    path("documents/custody/verify/", forms.custody_verify, name="custody_verify"),
]
