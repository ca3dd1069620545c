"""The service: an API over opened indexes, in one process, on loopback until it is told otherwise."""
