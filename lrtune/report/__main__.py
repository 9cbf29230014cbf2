"""`python -m lrtune.report`."""

from lrtune.__main__ import main

if __name__ == "__main__":
    main("report")
