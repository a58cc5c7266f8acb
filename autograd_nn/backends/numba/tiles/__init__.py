"""Register tiles: functions on words whose LLVM is written by hand in vectors of the host."""
