"""The auditor: replays a chain from its blocks alone and says where anything differs.

It shares no code with what it checks: blocks, events, digests and signatures are read here anew.
"""
