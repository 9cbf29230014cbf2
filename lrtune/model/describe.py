"""What makes a model, its loss and its data the same as yesterday's, as far as it can be recorded.

Two searches whose descriptions differ are not the same search. What cannot be seen is left out, and
then nothing depends on it: the code of functions whose source is not in a file, weights that are
drawn anew in each build, the vocabulary of an adapted layer, what a Python generator yields.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import json
import re
import textwrap
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from lrtune.records.schema import ModelRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lrtune.model.hypermodel import ScheduleHyperModel

_PLAIN = (bool, int, float, str, type(None))
_DATA = ("x", "y", "batch_size", "validation_data", "sample_weight")
"""Arguments of `fit` that a run records elsewhere."""


def describe_model(
    hypermodel: Any,
    model: keras.Model | None,
    build: Callable[[], keras.Model | None],
    argument: str | None,
) -> ModelRecord:
    """The record of a search's model.

    Args:
        hypermodel: of the search.
        model: made with the default hyperparameters; None if that failed.
        build: makes another one like it.
        argument: how the command line named it, else None.
    """
    if not isinstance(model, keras.Model):  # each trial will fail, and say why
        return ModelRecord(argument)
    whole, layers = _architecture(model)
    function = getattr(hypermodel, "build_model", None) or type(hypermodel)
    return ModelRecord(
        argument=argument,
        source=source_of(function),
        architecture=whole,
        layers=layers,
        frozen=_frozen(model, build),
        compiled=_compilation(hypermodel, model),
        compiled_by_user=bool(getattr(hypermodel, "compiled_by_user", False)),
        dtype_policy=keras.config.dtype_policy().name,
    )


def describe_fit(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `fit` gets besides the data, as plain values by name."""
    others = {name: one for name, one in given.items() if name not in _DATA and one is not None}
    callbacks = [_callback(one) for one in others.pop("callbacks", None) or ()]
    described = {name: plain_of(one) for name, one in sorted(others.items())}
    return {**described, "callbacks": callbacks} if callbacks else described


def source_of(function: Any) -> str:
    """Eight hexadecimal digits of a function's or class's code without comments; "" if unknown."""
    if isinstance(function, functools.partial):
        given = plain_of([function.args, function.keywords])
        source = source_of(function.func)
        return source and _digest([source, given])
    if not (inspect.isroutine(function) or inspect.isclass(function)):
        function = type(function)
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed at a prompt, or built in
        return ""
    with suppress(SyntaxError):  # a lambda in the middle of a statement
        text = ast.dump(_without_docstrings(ast.parse(text)))
    return _digest(text)


def plain_of(value: Any) -> Any:
    """A value in JSON's types: objects of Keras by their settings, functions by name and code."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(key): plain_of(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain_of(one) for one in value]
    if isinstance(value, np.ndarray):
        return _digest([value.dtype.str, value.shape, value.tobytes().hex()])
    if inspect.isroutine(value) or inspect.isclass(value):
        return f"{value.__name__} {source_of(value)}".strip()
    name = type(value).__name__
    try:
        config = value.get_config()
    except Exception:  # noqa: BLE001 - it is the user's
        return f"{name} {source_of(value)}".strip()
    return {"class": name, **plain_of({key: one for key, one in config.items() if key != "name"})}


def _callback(callback: Any) -> dict[str, Any]:
    """A callback's settings; where it writes decides nothing.

    One of the user's own may hold anything, the time or the number of its process: only its code is
    compared.
    """
    if not type(callback).__module__.startswith("keras."):
        return {"class": type(callback).__name__, "source": source_of(type(callback))}
    settings = {
        name: plain_of(value)
        for name, value in sorted(vars(callback).items())
        if isinstance(value, _PLAIN)
        and not name.startswith("_")
        and not any(word in name for word in ("path", "dir", "file"))
    }
    return {"class": type(callback).__name__, **settings}


def _compilation(hypermodel: ScheduleHyperModel | Any, model: keras.Model) -> dict[str, Any]:
    if getattr(hypermodel, "compiled_by_user", None) is False:
        asked = hypermodel.compilation
        config = {name: getattr(asked, name) for name in asked.__dataclass_fields__}
    else:
        try:
            config = dict(model.get_compile_config() or {})
        except Exception:  # noqa: BLE001 - a loss of the user's that cannot be saved
            return {}
        for name in ("optimizer", "jit_compile", "run_eagerly", "steps_per_execution"):
            config.pop(name, None)
    return {name: _named(value) for name, value in config.items() if value not in (None, [], {})}


def _named(value: Any) -> Any:
    """Configurations without what only loads them, and without names, which Keras numbers."""
    if isinstance(value, dict):
        loads = ("module", "registered_name", "build_config", "name")
        return {key: _named(one) for key, one in value.items() if key not in loads}
    return [_named(one) for one in value] if isinstance(value, list | tuple) else plain_of(value)


def _architecture(model: keras.Model) -> tuple[str, tuple[str, ...]]:
    """A digest of the whole, and a line a layer."""
    code = "" if type(model).__module__.startswith("keras.") else source_of(type(model))
    lines = [_line(one) for one in _layers(model)]
    return _digest([_configuration(model), code, lines]), tuple(lines)


def _configuration(layer: Any) -> str:
    """What a layer or a model says of itself, but not its name; "" if nothing can be saved."""
    try:
        return without_counters({**layer.get_config(), "name": None}, plain_of)
    except Exception:  # noqa: BLE001 - it is the user's
        return ""


def _layers(model: Any) -> list[Any]:
    found = []
    for layer in getattr(model, "layers", ()):
        found += _layers(layer) or [layer]
    return found


def _line(layer: Any) -> str:
    try:
        shape = f" {tuple(layer.output.shape)}"
    except (AttributeError, ValueError):  # not called yet, or more than once
        shape = ""
    weights = f", {layer.count_params():,} weights" if layer.built and layer.weights else ""
    frozen = "" if layer.trainable else ", frozen"
    settings = _digest(_configuration(layer) or source_of(type(layer)))
    return f"{type(layer).__name__}{shape}{weights}{frozen} #{settings}"


def without_counters(config: Any, default: Callable[[Any], Any] | None = None) -> str:
    """A configuration as JSON, in which Keras' own names of layers are numbered from 0.

    Keras keeps counting in a process: `dense_7` in one model is `dense_9` in the next.

    Args:
        config: of a model or a layer.
        default: for what JSON has not; without it, that is a TypeError.
    """
    text = json.dumps(config, default=default)
    order = {f'"{name}"': f'"{number}"' for number, name in enumerate(_keras_names(config))}
    return re.sub(r'"[^"]*"', lambda match: order.get(match[0], match[0]), text)


def _keras_names(config: Any) -> Iterator[str]:
    """Names in a configuration that Keras derived from a layer's class, in their order."""
    if isinstance(config, dict):
        name = config["config"].get("name") if isinstance(config.get("config"), dict) else None
        kind = str(config.get("class_name", "")).lower()
        if isinstance(name, str) and re.sub(r"_\d+$", "", name).replace("_", "") == kind:
            yield name
        config = list(config.values())
    if isinstance(config, list | tuple):
        for one in config:
            yield from _keras_names(one)


def _frozen(model: keras.Model, build: Callable[[], keras.Model | None]) -> str:
    """A digest of the weights that are not trained, unless each build draws them anew."""
    if not any(True for _ in _fixed(model)):
        return ""
    found, again = _digest_of_weights(model), build()
    return found if again is not None and found == _digest_of_weights(again) else ""


def _fixed(model: keras.Model) -> Iterator[Any]:
    return (one for one in model.non_trainable_weights if one.dtype != "uint32")  # no seeds


def _digest_of_weights(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for one in _fixed(model):
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(one)).tobytes())
    return digest.hexdigest()[:8]


def _digest(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
            first.value = ast.Constant("")
    return tree
