"""The form of an endpoint."""

# mypy: disable-error-code="var-annotated"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any

from django import forms

from duecourse.messages import say
from duecourse.web.api.webhooks import guard
from duecourse.web.api.webhooks.events import EVENTS


def event_word(name: str) -> str:
    """What people call an event."""
    return say(f"web.api_event_{name.replace('.', '_')}")


class EndpointForm(forms.Form):
    """Address, note and events."""

    url = forms.CharField(max_length=500, widget=forms.URLInput(attrs={"placeholder": "https://"}))
    note = forms.CharField(max_length=200, required=False)
    events = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, field in self.fields.items():
            field.label = say(f"web.api_hooks_field_{name}")
            field.error_messages["required"] = say("web.api_hooks_field_missing")
        self.fields["url"].help_text = say("web.api_hooks_field_url_hint")
        self.fields["events"].choices = [(name, event_word(name)) for name in EVENTS]  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        """An address messages may be sent to."""
        url = str(self.cleaned_data["url"]).strip()
        try:
            guard.target_of(url)
        except guard.RefusedError as error:
            raise forms.ValidationError(say(f"web.api_webhook_{error.code}")) from None
        return url
