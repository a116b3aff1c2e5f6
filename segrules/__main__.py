"""`python -m segrules` is the command line."""

from segrules.cli.app import main

if __name__ == "__main__":
    main()
