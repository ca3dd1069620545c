"""Training a classifier: stages of epochs in the loop of ``cbir.training``, and the run that they leave."""
