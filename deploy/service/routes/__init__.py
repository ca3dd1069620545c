"""A file a resource, each with its ``router``."""
