"""`python -m duecourse`: the same as the command `duecourse`."""

from duecourse.cli import entry_point

if __name__ == "__main__":
    entry_point()
