"""Ways to run cbir for others: the service, containers, clusters."""
