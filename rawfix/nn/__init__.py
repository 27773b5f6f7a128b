"""All that runs a network, and nothing that knows photography."""
