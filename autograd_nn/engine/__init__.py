"""The graph and calculus on it; knows no array library and no layer."""
