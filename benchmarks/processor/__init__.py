"""The CPU time and memory of the processor, compared with sharp and with the handler that tutorials propose."""
