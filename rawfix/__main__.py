"""``python -m rawfix``: the command line where no script is on the path."""

from rawfix.cli import main

if __name__ == "__main__":
    main()
