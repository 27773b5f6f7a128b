"""Many files: which outputs they get, and developing them one after another."""
