"""Label predictors and re-rankers that attach to a search."""
