"""allauth's forms, without texts inside the fields that repeat their labels."""

from __future__ import annotations

from typing import Any

from allauth.account import forms  # type: ignore[import-untyped]
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm  # type: ignore[import-untyped]


class _Plain:
    """Takes the texts out, and puts the cursor into the first field."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, field in enumerate(self.fields.values()):
            field.widget.attrs.pop("placeholder", None)
            field.help_text = ""
            if number == 0:
                field.widget.attrs["autofocus"] = True


class SignIn(_Plain, forms.LoginForm):  # type: ignore[misc]
    """Name and password."""


class ChangePassword(_Plain, forms.ChangePasswordForm):  # type: ignore[misc]
    """The old password and the new one."""


class SetPassword(_Plain, forms.SetPasswordForm):  # type: ignore[misc]
    """A first password."""


class Forgotten(_Plain, forms.ResetPasswordForm):  # type: ignore[misc]
    """An address to send a link to."""


class NewPassword(_Plain, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """What the link leads to."""


class Again(_Plain, forms.ReauthenticateForm):  # type: ignore[misc]
    """The password once more."""


class Code(_Plain, AuthenticateForm):  # type: ignore[misc]
    """A code of the authenticator app, or a recovery code."""


class CodeAgain(_Plain, ReauthenticateForm):  # type: ignore[misc]
    """The same once more."""
