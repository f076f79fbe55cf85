"""What the processor costs, measured beside sharp and beside the handler that tutorials propose."""
