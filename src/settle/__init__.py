"""Settlement of matched trades on a permissioned EVM chain: all legs move, or none does."""
