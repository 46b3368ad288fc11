"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.letters import batches, forms, letterhead, pages

urlpatterns = [
    path("letters/", pages.letters, name="letters"),
    path("letters/dry-run/", pages.letters_dry, name="letters_dry"),
    path("letters/letterhead/", letterhead.letters_letterhead, name="letters_letterhead"),
    path("letters/letterhead/keep/", letterhead.letters_letterhead_keep, name="letters_letterhead_keep"),
    path("letters/letterhead/rules/", letterhead.letters_rules_keep, name="letters_rules_keep"),
    path("letters/batches/", batches.letters_batches, name="letters_batches"),
    path("letters/batches/print/", batches.letters_print, name="letters_print"),
    path("letters/batches/<int:pk>/", batches.letters_batch, name="letters_batch"),
    path("letters/batches/<int:pk>/letters.pdf", batches.letters_batch_pdf, name="letters_batch_pdf"),
    path("letters/batches/<int:pk>/addresses.csv", batches.letters_batch_csv, name="letters_batch_csv"),
    path("letters/batches/<int:pk>/addresses.pdf", batches.letters_batch_addresses, name="letters_batch_addresses"),
    path("letters/batches/<int:pk>/posted/", batches.letters_batch_posted, name="letters_batch_posted"),
    path("letters/<int:pk>/", pages.letter, name="letter"),
    path("letters/<int:pk>/page-<int:page>.png", pages.letter_picture, name="letter_picture"),
    path("letters/<int:pk>/letter.pdf", pages.letter_pdf, name="letter_pdf"),
    path("letters/<int:pk>/letter.docx", pages.letter_docx, name="letter_docx"),
    path("letters/<int:pk>/proof/<int:file>/", pages.letter_proof, name="letter_proof"),
    path("letters/<int:pk>/redraw/", forms.letter_redraw, name="letter_redraw"),
    path("letters/<int:pk>/edited/", forms.letter_edited, name="letter_edited"),
    path("letters/<int:pk>/submit/", forms.letter_submit, name="letter_submit"),
    path("letters/<int:pk>/approve/", forms.letter_approve, name="letter_approve"),
    path("letters/<int:pk>/give-back/", forms.letter_give_back, name="letter_give_back"),
    path("letters/<int:pk>/cancel/", forms.letter_cancel, name="letter_cancel"),
    path("letters/<int:pk>/send/", forms.letter_send, name="letter_send"),
    path("letters/<int:pk>/handed-over/", forms.letter_handed, name="letter_handed"),
    path("letters/<int:pk>/look/", forms.letter_look, name="letter_look"),
    path("letters/<int:pk>/take-out/", forms.letter_take_out, name="letter_take_out"),
    path("letters/<int:pk>/track/", forms.letter_track, name="letter_track"),
    path("letters/<int:pk>/received/", forms.letter_received, name="letter_received"),
    path("buyers/<key:buyer_id>/letter/", forms.buyer_letter, name="buyer_letter"),
]
