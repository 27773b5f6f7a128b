"""The commands of ``python -m rawfix.training``, a file each."""
