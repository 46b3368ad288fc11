"""The forms of this room. Labels and hints come from the catalogue: `web.notices_field_NAME`, `web.notices_hint_NAME` where there is one."""

# mypy: disable-error-code="var-annotated"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

from duecourse.desk.scopes import scope_values
from duecourse.messages import catalogue, say
from duecourse.web import environment as env
from duecourse.web.accounts.forms import whole_book
from duecourse.web.api.webhooks import guard, signing
from duecourse.web.notices.kinds import KINDS, OF_ONE, OFFERED, usual
from duecourse.web.notices.models import SERVICES, Channel, Preference
from duecourse.web.notices.services import SERVICES as WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.web.accounts.models import Person

MAIL_WAY = "mail"


class _Said(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if field.label is None:
                field.label = say(f"web.notices_field_{name}")
            if f"web.notices_hint_{name}" in catalogue():
                field.help_text = say(f"web.notices_hint_{name}")
            field.error_messages["required"] = say("web.notices_missing")

    def _ask_kinds(self, chosen: Mapping[str, str], kinds: tuple[str, ...]) -> None:
        for kind in kinds:
            offered = [(rhythm, say(f"web.notices_rhythm_{rhythm}")) for rhythm in OFFERED[kind]]
            self.fields[f"kind_{kind}"] = forms.ChoiceField(
                choices=offered, label=say(f"web.notices_kind_{kind}"), initial=chosen.get(kind, "never")
            )  # fmt: skip

    @property
    def kind_fields(self) -> list[Any]:
        """One bound field for each kind of notice."""
        return [self[name] for name in self.fields if name.startswith("kind_")]

    @property
    def kinds(self) -> dict[str, str]:
        """What was chosen: {kind: rhythm}."""
        return {name.removeprefix("kind_"): str(self.cleaned_data[name]) for name in self.fields if name.startswith("kind_")}


class Wishes(_Said):
    """What somebody wants to hear, how and when."""

    way = forms.ChoiceField()
    digest_at = forms.TimeField(widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    digest_weekday = forms.TypedChoiceField(coerce=int)
    time_zone = forms.CharField(max_length=60, required=False, widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}))
    quiet_from = forms.TimeField(required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    quiet_to = forms.TimeField(required=False, widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))

    def __init__(self, *args: Any, person: Person, preference: Preference, own: list[Channel], **kwargs: Any) -> None:
        initial = {
            "way": preference.channel_id or MAIL_WAY, "digest_at": preference.digest_at, "digest_weekday": preference.digest_weekday,
            "time_zone": preference.time_zone or env.TIME_ZONE, "quiet_from": preference.quiet_from, "quiet_to": preference.quiet_to,
        }  # fmt: skip
        super().__init__(*args, initial=initial, **kwargs)
        ways = [(MAIL_WAY, say("web.notices_by_mail", address=person.email)), *((str(one.pk), one.name) for one in own)]
        self.fields["way"].choices = ways  # type: ignore[attr-defined]
        self.fields["digest_weekday"].choices = [(day, say(f"web.jobs_weekday_{day}")) for day in range(7)]  # type: ignore[attr-defined]
        for name in ("digest_at", "quiet_from", "quiet_to"):
            self.fields[name].error_messages["invalid"] = say("web.notices_time_wrong")
        self._ask_kinds({**usual(person.role), **preference.kinds}, KINDS)

    def clean_time_zone(self) -> str:
        """A name of the IANA list; that of the firm is kept as "follows the firm"."""
        name = str(self.cleaned_data["time_zone"]).strip() or env.TIME_ZONE
        if name not in available_timezones():
            raise forms.ValidationError(say("web.notices_zone_unknown"))
        return "" if name == env.TIME_ZONE else name

    def clean(self) -> dict[str, Any] | None:
        """Quiet hours have a beginning and an end, or neither."""
        cleaned = super().clean()
        if "quiet_from" in self.cleaned_data and "quiet_to" in self.cleaned_data:
            missing = [name for name in ("quiet_from", "quiet_to") if self.cleaned_data[name] is None]
            if len(missing) == 1:
                self.add_error(missing[0], say("web.notices_missing"))
        return cleaned

    def apply(self, preference: Preference) -> None:
        """Write what was chosen."""
        way = self.cleaned_data["way"]
        preference.channel_id = None if way == MAIL_WAY else int(way)
        for name in ("digest_at", "digest_weekday", "time_zone", "quiet_from", "quiet_to"):
            setattr(preference, name, self.cleaned_data[name])
        preference.kinds = self.kinds
        preference.save()


class _Place(_Said):
    """Where a chat is written to. Of one that is there the address stays as it is where none is typed."""

    service = forms.ChoiceField()
    name = forms.CharField(max_length=100)
    url = forms.CharField(max_length=1000, required=False, widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}))
    secret = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, channel: Channel | None = None, **kwargs: Any) -> None:
        self.channel = channel
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = [(one, say(f"web.notices_service_{one}")) for one in SERVICES]  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        """An address messages may be sent to."""
        url = str(self.cleaned_data["url"]).strip()
        if not url and self.channel is not None:
            return ""
        try:
            guard.target_of(url)
        except guard.RefusedError as error:
            raise forms.ValidationError(say(f"web.api_webhook_{error.code}")) from None
        return url

    def apply(self, channel: Channel) -> str:
        """Write the place into a channel; the new secret to be shown once, where we make it."""
        told = self.cleaned_data
        moved = channel.service != told["service"]
        channel.service, channel.name = told["service"], told["name"]
        if told["url"]:
            channel.sealed_url, channel.host = signing.sealed(told["url"]), urlsplit(told["url"]).hostname or ""
        made = ""
        if channel.service == "webhook":
            if moved or not channel.sealed_secret:
                made = signing.new_secret()
                channel.sealed_secret = signing.sealed(made)
        elif not WAYS[channel.service].signs:
            channel.sealed_secret = ""
        elif told["secret"] or moved:
            channel.sealed_secret = signing.sealed(told["secret"].strip()) if told["secret"] else ""
        return made


class OwnChat(_Place):
    """A chat of one's own."""


class ChannelForm(_Place):
    """A group's chat: where, what it hears, and how much of it."""

    language = forms.ChoiceField()
    details = forms.BooleanField(required=False)
    legal_entities = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    sales_owners = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, channel: Channel | None = None, **kwargs: Any) -> None:
        if channel is not None:
            names = ("service", "name", "language", "details", "legal_entities", "sales_owners")
            kwargs["initial"] = {name: getattr(channel, name) for name in names}
        super().__init__(*args, channel=channel, **kwargs)
        self.fields["language"].choices = list(settings.LANGUAGES)  # type: ignore[attr-defined]
        values = scope_values(whole_book())
        for name in ("legal_entities", "sales_owners"):
            held = getattr(channel, name) if channel is not None else []
            choices = sorted({*values[name], *held}, key=str.casefold)
            self.fields[name].choices = [(value, value) for value in choices]  # type: ignore[attr-defined]
        wanted = channel.kinds if channel is not None else {"alert_opened": "at_once", "alert_escalated": "at_once", "summary": "weekly"}
        self._ask_kinds(wanted, tuple(kind for kind in KINDS if kind not in OF_ONE))

    def apply(self, channel: Channel) -> str:
        """Write all of it."""
        made = super().apply(channel)
        for name in ("language", "details", "legal_entities", "sales_owners"):
            setattr(channel, name, self.cleaned_data[name])
        channel.kinds = self.kinds
        return made
