"""Development elsewhere: the server, ``rawfix serve``, and the client of ``rawfix develop --server``."""
