"""Running processes: a runner loops over the slices of a run."""
