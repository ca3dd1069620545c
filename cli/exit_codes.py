"""From an error to the exit code and the one line that a user sees."""

from __future__ import annotations

from enum import IntEnum

from cbir.errors import (
    AttachmentError,
    BackendError,
    CbirError,
    ColumnError,
    FingerprintError,
    IndexDamagedError,
    IndexMissingError,
    OtherProcessError,
    TenantError,
    UnlabelledError,
    WhereError,
)


class ExitCode(IntEnum):
    """What `cbir` answers to the shell."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    SKIPPED = 3
    """Done, but some files were skipped."""
    INDEX = 4
    """The index is missing or damaged."""
    MODEL = 5
    """Query and index come from different extractors."""
    BACKEND = 7
    """A server can't be reached."""
    INTERRUPTED = 130


class UsageProblem(CbirError):  # noqa: N818 (the tree's names end in Error; this one never leaves the program)
    """The command line, the environment or cbir.toml asks for something that makes no sense."""


_CODES: dict[type[BaseException], ExitCode] = {
    UsageProblem: ExitCode.USAGE,
    ColumnError: ExitCode.USAGE,
    WhereError: ExitCode.USAGE,
    TenantError: ExitCode.USAGE,
    AttachmentError: ExitCode.USAGE,
    UnlabelledError: ExitCode.USAGE,
    IndexMissingError: ExitCode.INDEX,
    IndexDamagedError: ExitCode.INDEX,
    FingerprintError: ExitCode.MODEL,
    BackendError: ExitCode.BACKEND,
    KeyboardInterrupt: ExitCode.INTERRUPTED,
}


def exit_code(error: BaseException) -> ExitCode:
    """The code of an error; 1 for every one that has none of its own."""
    its = error.kind if isinstance(error, OtherProcessError) else type(error)
    return next((code for kind, code in _CODES.items() if issubclass(its, kind)), ExitCode.ERROR)


def explain(error: BaseException) -> str:
    """One line for the user, without a traceback."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted, run again to go on"
    if isinstance(error, CbirError):
        text = str(error)
    elif isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror}"
    else:
        text = f"unexpected {type(error).__name__}: {error}. Run with --debug for the traceback"
    return "error: " + " ".join(text.split())
