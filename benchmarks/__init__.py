"""What it costs: each module measures one thing and writes a file under benchmarks/results."""
