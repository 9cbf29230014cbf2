"""`python -m lrtune.report`."""

from lrtune.report.command import main

if __name__ == "__main__":
    main()
