"""Limits: asked for, judged, decided by whom authority says, written to sales, reviewed once a year; and how the book is spread."""
