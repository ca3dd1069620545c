"""A PACS that speaks DICOMweb, as a source of images."""

from cbir.items.dicomweb.access import PacsAccess
from cbir.items.dicomweb.address import PacsAddress, is_pacs
from cbir.items.dicomweb.server import PacsTroubleError
from cbir.items.dicomweb.servers import PacsServers

__all__ = ["PacsAccess", "PacsAddress", "PacsServers", "PacsTroubleError", "is_pacs"]
