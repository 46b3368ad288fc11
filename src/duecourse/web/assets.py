"""The static files as they are served: collected, named by their content and compressed, once per release."""

from __future__ import annotations

import hashlib
from importlib.metadata import distributions
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from filelock import FileLock

from duecourse.web import static_bundle


def ready() -> None:
    """Make the static files ready if they are not: nothing is done when neither our own nor an installed package's have changed."""
    static_bundle.prepare()
    place = Path(settings.STATIC_ROOT)
    stamp = place / ".made-of"
    wanted = _made_of()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
            return
        stamp.unlink(missing_ok=True)
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted, encoding="ascii")


def _made_of() -> str:
    told = [f"{one.name}=={one.version}" for one in distributions()]
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            known = path.stat()
            told.append(f"{path.name} {known.st_size} {known.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()
