"""Escrow: terms that end in time whatever anybody does, and the Python twin of their contract."""
