"""What `tools/bench.py` times: workloads, the same in every framework, each framework in processes of its own."""
