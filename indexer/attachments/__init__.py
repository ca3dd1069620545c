"""What an index carries beside its own: under a name, settings, files, and values of its items' images.

Whoever attaches knows what they mean; the index keeps them whole, and gives them back.
"""

from indexer.attachments.attachment import Attachment
from indexer.attachments.values import ItemValues

__all__ = ["Attachment", "ItemValues"]
