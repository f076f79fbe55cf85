"""The rendered template on an embedded AWS engine, on this machine: no account, no Docker, nothing left behind."""
