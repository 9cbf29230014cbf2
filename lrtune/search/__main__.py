"""`python -m lrtune.search`."""

from lrtune.__main__ import main

if __name__ == "__main__":
    main("search")
