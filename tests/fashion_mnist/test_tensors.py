"""JSON to tensors and back: the published forms, and one sentence for anything else."""

import json

import numpy as np
import pytest
import tensorflow as tf

from fashion_mnist import tensors
from fashion_mnist.tensors import InvalidArgument

# The two requests that the API's documentation gives for one and the same three inputs.
ROWS = {
    "instances": [
        {"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
        {"tag": "bar", "signal": [3, 4, 1, 2, 5], "sensor": [[4, 5], [6, 8]]},
    ]
}
COLUMNS = {
    "inputs": {
        "tag": ["foo", "bar"],
        "signal": [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]],
        "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]],
    }
}
IMAGES = tf.TensorSpec([None, 28, 28, 1], tf.float32)
NUMBERS = tf.TensorSpec([None], tf.float32)


def test_rows_and_columns_mean_the_same_inputs():
    names = ("tag", "signal", "sensor")
    assert tensors.columns(ROWS, names) == tensors.columns(COLUMNS, names) == COLUMNS["inputs"]


@pytest.mark.parametrize(
    ("instances", "spec", "shape"),
    [
        pytest.param(["foo", "bar", "baz"], tf.TensorSpec([None], tf.string), [3], id="texts"),
        pytest.param(
            [[[1, 2]], [[3, 4]]], tf.TensorSpec([None, 1, 2], tf.int32), [2, 1, 2], id="lists"
        ),
        pytest.param([1.5, -10, 0], NUMBERS, [3], id="numbers"),
        pytest.param([True, False], tf.TensorSpec([None], tf.bool), [2], id="truths"),
        pytest.param(7, tf.TensorSpec([], tf.int64), [], id="a scalar"),
        pytest.param([[1], [2]], tf.TensorSpec(None, tf.float64), [2, 1], id="any shape"),
    ],
)
def test_a_nested_list_becomes_a_tensor_of(instances, spec, shape):
    tensor = tensors.to_tensor("x", instances, spec)
    assert tensor.shape == shape
    assert tensor.dtype == spec.dtype
    assert tensors.answer({"x": tensor}, "inputs") == {"outputs": instances}


def test_answers_are_in_the_form_of_the_request():
    one, two = tf.constant([1, 2]), tf.constant([[0.5], [0.25]])
    assert tensors.answer({"y": one}, "instances") == {"predictions": [1, 2]}
    assert tensors.answer({"y": one, "z": two}, "instances") == {
        "predictions": [{"y": 1, "z": [0.5]}, {"y": 2, "z": [0.25]}]
    }
    assert tensors.answer({"y": one, "z": two}, "inputs") == {
        "outputs": {"y": [1, 2], "z": [[0.5], [0.25]]}
    }


def test_outputs_of_different_lengths_cannot_be_rows():
    with pytest.raises(InvalidArgument, match="ask with `inputs`"):
        tensors.answer({"y": tf.constant([1]), "z": tf.constant([1, 2])}, "instances")
    with pytest.raises(InvalidArgument, match="ask with `inputs`"):
        tensors.answer({"y": tf.constant(1), "z": tf.constant(2)}, "instances")


def test_a_float_is_as_short_as_it_can_be():
    answer = tensors.answer({"y": tf.constant([0.2, 1e-9, 3.5])}, "instances")
    assert json.dumps(answer) == '{"predictions": [0.2, 1e-09, 3.5]}'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "JSON Parse error", id="is empty"),
        pytest.param(b"instances = [1, 2]", "JSON Parse error", id="is no JSON"),
        pytest.param(b"\xff\xfe\x00", "JSON Parse error", id="is no text"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="is deep"),
        pytest.param(b'{"a":' * 100_000, "nested too deeply", id="is a deep object"),
        pytest.param(b"[1.0]", "not an object", id="is a list"),
        pytest.param(b'{"instances": [NaN]}', "NaN is not a number", id="has NaN"),
        pytest.param(b'{"instances": [-Infinity]}', "-Infinity is not", id="has infinity"),
        pytest.param(b"9" * 5000, "JSON Parse error", id="is a number of 5000 digits"),
    ],
)
def test_a_body_is_refused_that(body, why):
    with pytest.raises(InvalidArgument, match=why):
        tensors.parse(body)


@pytest.mark.parametrize(
    ("request_", "names", "why"),
    [
        pytest.param({}, "x", "either `instances` or `inputs`", id="none"),
        pytest.param({"images": [1]}, "x", "either `instances`", id="another name for them"),
        pytest.param({"instances": [1], "inputs": [1]}, "x", "and not both", id="both forms"),
        pytest.param({"instances": 1}, "x", "not a list", id="a number for a list"),
        pytest.param({"instances": {"x": [1]}}, "x", "not a list", id="columns as rows"),
        pytest.param({"instances": []}, "x", "one instance or more", id="no instance"),
        pytest.param({"instances": [{"x": 1}, {"y": 1}]}, "x", "same named", id="mixed rows"),
        pytest.param({"instances": [{"x": 1}, 1]}, "x", "same named", id="a row without a name"),
        pytest.param({"instances": [1, 2]}, "xy", "name each: `x`, `y`", id="no name of two"),
        pytest.param({"inputs": {"z": [1]}}, "xy", "are `z`, and not `x`, `y`", id="others"),
        pytest.param({"inputs": {}}, "x", "are none, and not `x`", id="an empty object"),
    ],
)
def test_inputs_are_refused_where_there_are(request_, names, why):
    with pytest.raises(InvalidArgument, match=why):
        tensors.columns(request_, names)


@pytest.mark.parametrize(
    ("value", "spec", "why"),
    [
        pytest.param(np.zeros((1, 28, 28)).tolist(), IMAGES, r"\[1, 28, 28\]", id="no channel"),
        pytest.param(np.zeros((2, 784)).tolist(), IMAGES, r"\[-1, 28, 28, 1\]", id="flat images"),
        pytest.param(np.zeros((28, 28, 1)).tolist(), IMAGES, "and must have", id="no list"),
        pytest.param([[1.0], [2.0, 3.0]], tf.TensorSpec(None, tf.float32), "different", id="rags"),
        pytest.param([[1.0], 2.0], tf.TensorSpec(None, tf.float32), "different", id="a stray"),
        pytest.param([1.0, [2.0]], NUMBERS, "Array is not of expected type", id="a list inside"),
        pytest.param([1.0, "2.0"], NUMBERS, "String is not of expected", id="a text"),
        pytest.param([None], NUMBERS, "Null is not of expected type: float32", id="null"),
        pytest.param([True], NUMBERS, "Boolean is not of expected type", id="a truth"),
        pytest.param([{"b64": "aa"}], NUMBERS, "Object is not of expected", id="an object"),
        pytest.param([1.5], tf.TensorSpec([None], tf.int32), "Number is not of", id="a fraction"),
        pytest.param([2**40], tf.TensorSpec([None], tf.int32), "too large for int32", id="2^40"),
        pytest.param([1e300], NUMBERS, "too large for float32", id="a huge float"),
        pytest.param([10**400], NUMBERS, "too large for float32", id="a huge whole number"),
    ],
)  # fmt: skip
def test_a_tensor_is_refused_that_has(value, spec, why):
    with pytest.raises(InvalidArgument, match=why):
        tensors.to_tensor("images", value, spec)
