"""Addresses of this room."""

from __future__ import annotations

from django.urls import path

from duecourse.web.notices import channels, pages

urlpatterns = [
    path("", pages.notices, name="notices"),
    path("chats/new/", pages.chat_new, name="notices_chat_new"),
    path("chats/<int:pk>/remove/", pages.chat_remove, name="notices_chat_remove"),
    path("<int:pk>/again/", pages.own_again, name="notices_again"),
    path("<int:pk>/settle/", pages.own_settle, name="notices_settle"),
    path("channels/", channels.channels, name="notice_channels"),
    path("channels/new/", channels.channel_new, name="notice_channel_new"),
    path("channels/<int:pk>/", channels.channel, name="notice_channel"),
    path("channels/<int:pk>/edit/", channels.channel_edit, name="notice_channel_edit"),
    path("channels/<int:pk>/test/", channels.channel_test, name="notice_channel_test"),
    path("channels/<int:pk>/switch/", channels.channel_switch, name="notice_channel_switch"),
    path("channels/<int:pk>/remove/", channels.channel_remove, name="notice_channel_remove"),
    path("messages/<int:pk>/again/", channels.again, name="notice_message_again"),
    path("messages/<int:pk>/settle/", channels.settle, name="notice_message_settle"),
]
