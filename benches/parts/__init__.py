"""The parts of benches/run, one file for each figure."""
