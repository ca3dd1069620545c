"""What ``hub:OWNER/REPO/FILE@REVISION`` names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from cbir.errors import WeightsError

DEFAULT_FILE = "model.safetensors"

_PART = r"[\w-][\w.-]*"
_LOCATION = re.compile(rf"({_PART}/{_PART})((?:/{_PART})*)(?:@([\w][\w./-]*))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubLocation:
    """A file of a model hub.

    Args:
        repo: ``OWNER/REPO``.
        file: its path in the repository.
        revision: a commit, tag or branch; None for the newest.
    """

    repo: str
    file: str = DEFAULT_FILE
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``OWNER/REPO``, with ``/FILE`` and ``@REVISION`` where they are said.

        Raises:
            WeightsError: it is none.
        """
        found = _LOCATION.fullmatch(text)
        if found is None:
            raise WeightsError(
                f"Weights source hub:{text} is no OWNER/REPO, nor OWNER/REPO@REVISION, "
                "nor OWNER/REPO/FILE@REVISION; correct the TOML."
            )
        repo, file, revision = found.groups()
        return cls(repo, file.removeprefix("/") or DEFAULT_FILE, revision)

    @property
    def page(self) -> str:
        """Where a person reads about it, and accepts its terms."""
        return f"https://huggingface.co/{self.repo}"

    def __str__(self) -> str:
        file = "" if self.file == DEFAULT_FILE else f"/{self.file}"
        return f"{self.repo}{file}{f'@{self.revision}' if self.revision else ''}"
