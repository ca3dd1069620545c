"""How the settings say that a PACS is talked to."""

from __future__ import annotations

from cbir.items.dicomweb import PacsAccess
from cli.settings import Settings


def pacs_access(settings: Settings) -> PacsAccess:
    """How, and as whom.

    Raises:
        SpecError: what makes no sense together.
    """
    return PacsAccess(
        user=settings.dicomweb_user,
        password=settings.dicomweb_password,
        token=settings.dicomweb_token,
        concurrency=settings.dicomweb_concurrency,
        timeout_s=settings.dicomweb_timeout_s,
        ca_file=settings.dicomweb_ca_file,
        insecure=settings.dicomweb_insecure,
    )
