"""From nodes of a graph to steps over views: which kernel does what, and with which geometry."""
