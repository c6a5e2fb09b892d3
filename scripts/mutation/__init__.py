"""Change the contracts in small ways, one at a time, and see whether a test notices."""
