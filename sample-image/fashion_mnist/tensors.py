"""JSON to tensors and back, in the rows and columns of TensorFlow Serving's REST API.

Requests come from strangers. Nothing here takes more memory than the request has bytes times a
small number, and everything that is wrong with one is an `InvalidArgument` with one sentence.
Source: https://www.tensorflow.org/tfx/serving/api_rest.
"""

import itertools
import json
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow as tf

ROWS, COLUMNS = "instances", "inputs"
ANSWERS = {ROWS: "predictions", COLUMNS: "outputs"}
JSON_TYPES = {
    list: "Array", dict: "Object", str: "String", bool: "Boolean",
    int: "Number", float: "Number", type(None): "Null",
}  # fmt: skip


class InvalidArgument(Exception):
    """What is wrong with a request, in one sentence."""


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object of a request. NaN and Infinity, which JSON lacks, are refused."""
    try:
        request = json.loads(body, parse_constant=_refuse)
    except RecursionError as error:
        raise InvalidArgument("JSON Parse error: the document is nested too deeply") from error
    except ValueError as error:
        raise InvalidArgument(f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise InvalidArgument("JSON Parse error: the document is not an object")
    return request


def _refuse(constant: str) -> None:
    raise InvalidArgument(f"JSON Parse error: {constant} is not a number that a model can take")


def form(request: dict[str, Any]) -> str:
    """Whether the request has its inputs as ``ROWS`` or as ``COLUMNS``."""
    given = [key for key in (ROWS, COLUMNS) if key in request]
    if len(given) != 1:
        raise InvalidArgument(f"The request needs either `{ROWS}` or `{COLUMNS}`, and not both")
    return given[0]


def columns(request: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The JSON value of each of the inputs ``names``, whatever the form of the request."""
    values = request[form(request)]
    if form(request) == ROWS:
        values = _columns_of(values)
    if not isinstance(values, dict):
        if len(names) != 1:
            raise InvalidArgument(f"The model has several inputs, so name each: {_listed(names)}")
        return dict.fromkeys(names, values)
    if set(values) != set(names):
        raise InvalidArgument(f"The inputs are {_listed(values)}, and not {_listed(names)}")
    return values


def _columns_of(rows: Any) -> Any:
    """A list of objects as an object of lists; any other list is the column of the only input."""
    if not isinstance(rows, list) or not rows:
        raise InvalidArgument(f"`{ROWS}` is not a list of one instance or more")
    if not isinstance(rows[0], dict):
        return rows
    names = rows[0].keys()
    if any(not isinstance(row, dict) or row.keys() != names for row in rows):
        raise InvalidArgument(f"Not all of `{ROWS}` have the same named inputs")
    return {name: [row[name] for row in rows] for name in names}


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{_shortened(name)}`" for name in sorted(names)[:10]) or "none"


def to_tensor(name: str, value: Any, spec: tf.TensorSpec) -> tf.Tensor:
    """The tensor that a nested list means, if the input ``name`` of the model takes it."""
    shape = _shape(value)
    if not spec.shape.is_compatible_with(shape):
        wanted = [-1 if size is None else size for size in spec.shape]
        raise InvalidArgument(f"Input `{name}` has the shape {shape[:10]} and must have {wanted}")
    values = _flattened(name, value, shape)
    for kind in set(map(type, values)) - _kinds(spec.dtype):
        raise InvalidArgument(
            f"JSON Value of Type: {JSON_TYPES[kind]} is not of expected type: {spec.dtype.name}"
        )
    return tf.constant(_array(name, values, spec.dtype), spec.dtype, shape)


def _shape(value: Any) -> list[int]:
    """The shape that the first list of each level has."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _flattened(name: str, value: Any, shape: list[int]) -> list[Any]:
    """What is in the lists, which must all be as long as the first one of their level."""
    level = [value]
    for size in shape:
        if any(not isinstance(each, list) or len(each) != size for each in level):
            raise InvalidArgument(f"Input `{name}` has lists of different lengths at one level")
        level = list(itertools.chain.from_iterable(level))
    return level


def _kinds(dtype: tf.DType) -> set[type]:
    if dtype == tf.string:
        return {str}
    if dtype == tf.bool:
        return {bool}
    return {int, float} if dtype.is_floating else {int}


def _array(name: str, values: list[Any], dtype: tf.DType) -> Any:
    if dtype == tf.string:
        return values
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, dtype.as_numpy_dtype)
    except OverflowError as error:
        raise InvalidArgument(f"Input `{name}` has a number too large for {dtype.name}") from error
    if dtype.is_floating and not np.isfinite(array).all():
        raise InvalidArgument(f"Input `{name}` has a number too large for {dtype.name}")
    return array


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def answer(outputs: dict[str, tf.Tensor], form: str) -> dict[str, Any]:
    """What a request of this form is answered with. The name of an only output is left out."""
    values = {name: _to_json(tensor) for name, tensor in outputs.items()}
    if len(values) == 1:
        return {ANSWERS[form]: next(iter(values.values()))}
    return {ANSWERS[form]: values if form == COLUMNS else _rows_of(values)}


def _rows_of(values: dict[str, Any]) -> list[dict[str, Any]]:
    """An object of lists as a list of objects."""
    sizes = {len(column) if isinstance(column, list) else -1 for column in values.values()}
    if len(sizes) != 1 or -1 in sizes:
        raise InvalidArgument(f"The outputs are not of one length: ask with `{COLUMNS}`")
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _to_json(tensor: tf.Tensor) -> Any:
    """As lists; floats as short as they can be and still be the same float32."""
    if tensor.dtype == tf.string:
        decode = np.vectorize(lambda text: text.decode("utf-8", "replace"), [object])
        return decode(np.array(tensor.numpy(), object)).tolist()
    array = np.asarray(tensor.numpy())
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(str).astype(np.float64).tolist()
    return array.tolist()
