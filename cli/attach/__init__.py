"""A trained classifier, asked about an index's items and kept with the index."""

from cli.attach.attach import AttachReport, attach_classifier

__all__ = ["AttachReport", "attach_classifier"]
