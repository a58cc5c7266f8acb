"""The scalar functions that kernels name: branch-free, vectorised, with a stated error."""
