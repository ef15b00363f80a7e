"""`python -m vitrine` is `vitrine`."""

from vitrine.cli import main

if __name__ == "__main__":
    main()
