"""Writing to a standard output that fails: nothing is raised, one line says so."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys

import pytest

from lrtune._util.output import SteadyOutput

NOTICE = "lrtune: standard output cannot be written ({}); the work goes on\n"


class Failing(io.StringIO):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def write(self, text):
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO])
def test_an_output_that_fails_is_said_once_and_raises_nothing(number, capsys):
    output = SteadyOutput(Failing(number))
    for _ in range(3):
        assert output.write("line\n") == 5
        output.flush()
    assert capsys.readouterr().err == NOTICE.format(os.strerror(number))
    assert not output.isatty()


def test_a_stream_that_somebody_closed_raises_nothing(capsys):
    stream = io.StringIO()
    stream.close()
    output = SteadyOutput(stream)
    assert not output.isatty()
    output.write("line\n")
    output.flush()
    assert capsys.readouterr().err == NOTICE.format("I/O operation on closed file")


def test_without_a_stream_nothing_is_shown(capsys):
    output = SteadyOutput(None)
    output.write("line\n")
    output.flush()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", b"+/-- \\u2191 end"), ("latin-1", b"+/-- \\u2191 end")]
)
def test_characters_that_the_encoding_lacks_are_replaced(encoding, shown):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    output = SteadyOutput(stream)
    output.write("±─ ↑ end")
    output.flush()
    assert raw.getvalue() == shown
    assert output.encoding == encoding


IN_A_PROCESS = """
import sys
from lrtune._util.output import SteadyOutput
output = SteadyOutput(sys.stdout, discard=True)
for _ in range(3):
    output.write("line\\n")
    output.flush()
print("as a model prints", flush=True)
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_after_a_failure_a_print_does_not_raise_and_python_exits_without_a_word():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        child = subprocess.run(
            [sys.executable, "-c", IN_A_PROCESS], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (child.returncode, child.stderr) == (0, NOTICE.format("No space left on device"))


CLOSED = """
import os
from lrtune._util.output import open_standard_streams
open_standard_streams()
file = os.open(os.devnull, os.O_RDONLY)
os._exit(file)
"""


def test_no_file_gets_the_number_of_a_standard_stream_that_was_closed():
    command = f'exec "{sys.executable}" -c "$0" <&- >&- 2>&-'
    assert subprocess.run(["/bin/sh", "-c", command, CLOSED]).returncode >= 3
