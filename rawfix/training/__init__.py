"""Training of every network that ships; needs ``rawfix[train]``, and nothing else imports it."""
