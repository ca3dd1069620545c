"""What is learned from vectors that are there: the weights of a fusion, whitening, discriminants."""
