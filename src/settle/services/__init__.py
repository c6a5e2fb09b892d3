"""Use cases, one verb a file. They know the domain, and the outside world only as ports."""
