"""Functions that the command line names: FILE.py:FUNCTION or package.module:function."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrtune._util.failures import summary
from lrtune.errors import ArgumentError, LrtuneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_REFERENCE = re.compile(r"(?P<file>.+\.py|[^\W\d][\w.]*):(?P<name>[^\W\d]\w*)")

FORM = "FILE.py:FUNCTION or package.module:function"


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference to a function."""
    return _REFERENCE.fullmatch(text) is not None


def check_reference(option: str, text: str) -> None:
    """Raises ArgumentError for what can be seen without running the file; imports nothing."""
    file, _ = _split(option, text)
    if not file.endswith(".py"):
        return
    path = _path(option, file, text)
    try:
        ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ArgumentError(
            f"{option}: {file}{line} is no Python: {getattr(error, 'msg', error)}."
        ) from error
    except OSError as error:
        raise ArgumentError(f"{option}: {file} cannot be read: {error.strerror}.") from error


def load_function(option: str, text: str) -> Callable[..., Any]:
    """The function that a text names. Its file's folder is importable from then on.

    Args:
        option: which option it came with, for messages: "--model".
        text: FILE.py:FUNCTION or package.module:function.

    Returns:
        The function. One of a file is sent to worker processes with its code, so an edit of the
        file does not change a search that is running.

    Raises:
        ArgumentError: there is no such file, module or function, or importing it fails.
    """
    file, name = _split(option, text)
    with errors_of(option, f"importing {file}"):
        module = _of_file(_path(option, file, text)) if file.endswith(".py") else _of_name(file)
    function = getattr(module, name, None)
    if not callable(function):
        own = [
            one
            for one, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        ]
        raise ArgumentError(
            f"{option} must name a function: {file} has no function {name}"
            f"{', but ' + ', '.join(own) if own else ''}. Received: {text}."
        )
    return function  # type: ignore[no-any-return]


@contextmanager
def errors_of(option: str, doing: str) -> Iterator[None]:
    """Whatever the user's own code raises in this block becomes an ArgumentError.

    Args:
        option: which option named the code.
        doing: what was being done, in words.
    """
    try:
        yield
    except LrtuneError:
        raise
    except (Exception, SystemExit) as error:
        raise ArgumentError(f"{option}: {doing} failed: {summary(error)}.") from error


def _split(option: str, text: str) -> tuple[str, str]:
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ArgumentError(f"{option} must be {FORM}. Received: {text}.")
    return found["file"], found["name"]


def _path(option: str, file: str, text: str) -> Path:
    path = Path(file)
    with suppress(RuntimeError):  # a user unknown to the system
        path = path.expanduser()
    if not path.is_file():
        raise ArgumentError(f"{option} must name a file that is there. Received: {text}.")
    return path.resolve()


def _of_file(path: Path) -> ModuleType:
    """Runs a file as Python runs a script: what lies beside it can be imported."""
    import cloudpickle

    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    name = path.stem
    if not _is_free(name, path):  # a keras.py must not take the place of Keras
        name = f"lrtune_user_{name}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    cloudpickle.register_pickle_by_value(module)
    return module


def _is_free(name: str, path: Path) -> bool:
    """Whether importing this name gives this file, or nothing yet."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None) == str(path)
    found = importlib.util.find_spec(name)
    return found is None or found.origin == str(path)


def _of_name(name: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:  # as for `python -m`
        sys.path.insert(0, str(Path.cwd()))
    return importlib.import_module(name)
