"""From kernels as Python source to machine code in memory, and the team of threads that walks a table of it."""
