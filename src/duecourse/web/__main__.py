"""`python -m duecourse.web COMMAND`: Django's own commands (migrate, shell, …) on this app."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "duecourse.web.settings")
    execute_from_command_line(["duecourse.web", *sys.argv[1:]])
