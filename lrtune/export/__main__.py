"""`python -m lrtune.export`."""

from lrtune.export.command import main

if __name__ == "__main__":
    main()
