"""ISO 20022 messages: sese.023 in, sese.024 and sese.025 out. Pure: bytes and values, no I/O."""
