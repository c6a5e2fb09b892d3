"""What the system knows without asking anybody: pure values and rules, no I/O and no clock."""
