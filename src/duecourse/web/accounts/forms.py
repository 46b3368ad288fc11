"""The forms of this room. Labels and hints come from the catalogue: `web.people_field_NAME`, `web.people_hint_NAME` where there is one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils import timezone

from duecourse.desk.scopes import groups_named, scope_values
from duecourse.messages import catalogue, say
from duecourse.reference.currencies import CURRENCIES
from duecourse.web import books
from duecourse.web.accounts.access import MAY, ROLES
from duecourse.web.accounts.models import SCOPES, Person
from duecourse.web.pages.appearance import THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.ledger.book import Book
    from duecourse.web.accounts.access import Act

KEY_ACTS: Final[tuple[Act, ...]] = ("read", "export", "note", "import", "settings", "jobs", "audit")
"""What a program may be allowed: never to let people in, or to make further keys."""

KEY_DAYS: Final = (30, 90, 365)


class Said(forms.Form):
    """A form whose labels and hints are sentences of the catalogue."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = say(f"web.people_field_{name}")
            if f"web.people_hint_{name}" in catalogue():
                field.help_text = say(f"web.people_hint_{name}")


def _languages() -> list[tuple[str, str]]:
    return [(code, str(name)) for code, name in settings.LANGUAGES]


class _NewPassword(Said):
    """A new password, typed once and looked at: an eye to show it replaces typing it twice."""

    password = forms.CharField(
        strip=False, max_length=256, widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": 12})
    )

    def clean(self) -> dict[str, Any] | None:
        """Long enough, not common, not the person's own name."""
        cleaned = super().clean()
        if self.cleaned_data.get("password"):
            person = Person(email=str(self.cleaned_data.get("email", "")), first_name=str(self.cleaned_data.get("name", "")))
            try:
                validate_password(self.cleaned_data["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class SetUp(_NewPassword):
    """The first run."""

    company = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    base_currency = forms.ChoiceField()
    language = forms.ChoiceField()
    name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    field_order = ("company", "base_currency", "language", "name", "email", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_use = {code: one for code, one in CURRENCIES.items() if one.withdrawn is None and code != "XXX"}
        first = [code for code in ("CNY", "EUR", "USD", "GBP", "JPY", "HKD") if code in in_use]
        codes = [*first, *sorted(set(in_use) - set(first))]
        self.fields["base_currency"].choices = [(code, f"{code} {in_use[code].name()}") for code in codes]  # type: ignore[attr-defined]
        self.fields["language"].choices = _languages()  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        """In small letters."""
        return str(self.cleaned_data["email"]).lower()


class Join(_NewPassword):
    """The answer to an invitation."""

    name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}))

    field_order = ("name", "password")

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any] | None:
        """The address counts as the person's own name too."""
        self.cleaned_data["email"] = self.email
        return super().clean()


class Rights(Said):
    """A role, and which rows go with it."""

    role = forms.ChoiceField(widget=forms.RadioSelect)
    legal_entities = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    sales_owners = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    groups_seen = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, held: Mapping[str, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role, say(f"web.people_role_{role}")) for role in ROLES]  # type: ignore[attr-defined]
        book = whole_book()
        values = scope_values(book)
        for name in ("legal_entities", "sales_owners"):
            choices = sorted({*values[name], *held.get(name, [])}, key=str.casefold)
            self.fields[name].choices = [(value, value) for value in choices]  # type: ignore[attr-defined]
        # There may be a million groups: those held, and those sent, are what can be chosen; the page finds others.
        wanted = {*held.get("groups_seen", []), *(self.data.getlist("groups_seen") if hasattr(self.data, "getlist") else [])}
        named = {group.group_id: group.name for group in groups_named(book, sorted(wanted))}
        kept = [*named, *(set(held.get("groups_seen", [])) - set(named))]
        self.fields["groups_seen"].choices = [(one, _group_label(one, named.get(one, ""))) for one in kept]  # type: ignore[attr-defined]

    @property
    def scope(self) -> dict[str, list[str]]:
        """The three lists that were chosen."""
        return {name: sorted(self.cleaned_data[name]) for name in SCOPES}


class Invite(Rights):
    """Somebody new."""

    email = forms.EmailField(max_length=254)
    name = forms.CharField(max_length=150, required=False)
    language = forms.ChoiceField()

    field_order = ("email", "name", "language", "role", *SCOPES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, held={}, **kwargs)
        self.fields["language"].choices = _languages()  # type: ignore[attr-defined]

    def clean_email(self) -> str:
        """Nobody's yet."""
        email = str(self.cleaned_data["email"]).lower()
        if Person.objects.filter(email=email).exists():
            raise forms.ValidationError(say("web.people_email_taken"))
        return email


class Edit(Rights):
    """Somebody who is there."""

    email = forms.EmailField(max_length=254)
    name = forms.CharField(max_length=150, required=False)

    field_order = ("name", "email", "role", *SCOPES)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        self.person = person
        super().__init__(*args, held={name: getattr(person, name) for name in SCOPES}, **kwargs)

    def clean_email(self) -> str:
        """Nobody else's."""
        email = str(self.cleaned_data["email"]).lower()
        if Person.objects.filter(email=email).exclude(pk=self.person.pk).exists():
            raise forms.ValidationError(say("web.people_email_taken"))
        return email


class Profile(Said):
    """What somebody decides for themselves."""

    name = forms.CharField(max_length=150, required=False)
    language = forms.ChoiceField()
    theme = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = _languages()  # type: ignore[attr-defined]
        self.fields["theme"].choices = [(one, say(f"web.frame_theme_{one or 'system'}")) for one in THEMES]  # type: ignore[attr-defined]


class NewKey(Said):
    """A new API key."""

    name = forms.CharField(max_length=100)
    acts = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(coerce=int)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = say("web.people_field_key_name")
        own = [act for act in KEY_ACTS if act in MAY.get(person.role, ())]
        self.fields["acts"].choices = [(act, say(f"web.people_may_{act}")) for act in own]  # type: ignore[attr-defined]
        self.fields["days"].choices = [(days, say("web.people_days", days=days)) for days in KEY_DAYS]  # type: ignore[attr-defined]

    @property
    def expires_at(self) -> Any:
        """When the key ends."""
        return timezone.now() + timedelta(days=self.cleaned_data["days"])


def whole_book() -> Book:
    """Everything, for whoever decides what others see."""
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


def _group_label(group_id: str, name: str) -> str:
    return f"{name} ({group_id})" if name and name != group_id else group_id
