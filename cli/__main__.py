"""The door: `cbir` and `python -m cli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; never returns."""
    try:
        from cli.app import app

        app(prog_name="cbir")
    except KeyboardInterrupt:  # before or after a command; within one the group answers
        from cli.exit_codes import exit_code, explain

        error = KeyboardInterrupt()
        print(explain(error), file=sys.stderr)  # noqa: T201 (the terminal module may not be imported yet)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
