"""The chain as the operator sees it: engines, JSON-RPC, contracts, signatures, sender, follower."""
