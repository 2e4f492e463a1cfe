"""A model in a folder of numbered versions, as TensorFlow Serving finds and loads it.

BASE_PATH/1, BASE_PATH/2 and so on are SavedModels, and the highest number is served. `refresh`
looks again; until a new version is loaded, and if it cannot be, the one before goes on serving.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2

from fashion_mnist import report, tensors
from fashion_mnist.failure import Failure, first_line
from fashion_mnist.tensors import InvalidArgument

DEFAULT_SIGNATURE = "serving_default"
MODEL_FILE = "saved_model.pb"
VERSION = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Loaded:
    """A version that can be asked: its functions, and what it says of their inputs and outputs."""

    number: int
    signatures: dict[str, Any]
    metadata: dict[str, Any]

    def predict(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a `:predict` request. Raises: InvalidArgument."""
        function = self._signature(request.get("signature_name", DEFAULT_SIGNATURE))
        specs = function.structured_input_signature[1]
        values = tensors.columns(request, specs)
        inputs = {name: tensors.to_tensor(name, values[name], specs[name]) for name in specs}
        try:
            outputs = function(**inputs)
        except tf.errors.OpError as error:
            raise InvalidArgument(first_line(error)) from error
        return tensors.answer(outputs, tensors.form(request))

    def _signature(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise InvalidArgument("`signature_name` is not a string")
        if name not in self.signatures:
            raise InvalidArgument(
                f'Serving signature name: "{name[:40]}" not found in signature def;'
                f" there is {', '.join(self.signatures)}"
            )
        return self.signatures[name]


def load(number: int, folder: Path) -> Loaded:
    """Read the SavedModel in ``folder``. Raises: Failure."""
    try:
        has_model = (folder / MODEL_FILE).is_file()
    except OSError as error:  # a folder of another user
        raise Failure(f"Cannot load {folder}: {error.strerror}.") from error
    if not has_model:
        raise Failure(f"Cannot load {folder}: there is no file {MODEL_FILE} in it.")
    try:
        signatures = dict(tf.saved_model.load(str(folder)).signatures)
        metadata = _signature_defs(folder)
    except Exception as error:  # TensorFlow, and what it calls, raise a dozen types here
        raise Failure(f"Cannot load {folder}: {first_line(error)}; it is damaged.") from error
    if not signatures:
        raise Failure(f"Cannot load {folder}: the model has no signature to serve.")
    return Loaded(number, signatures, metadata)


def _signature_defs(folder: Path) -> dict[str, Any]:
    saved = saved_model_pb2.SavedModel.FromString((folder / MODEL_FILE).read_bytes())
    return {
        name: json_format.MessageToDict(
            signature,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        for name, signature in saved.meta_graphs[0].signature_def.items()
    }


def versions(base_path: Path) -> dict[int, Path]:
    """The numbered folders, the highest first."""
    try:
        folders = [each for each in base_path.iterdir() if VERSION.fullmatch(each.name)]
    except OSError:
        return {}
    # Of a folder that it may not look into, os.path says no, where Path raises.
    found = {int(each.name): each for each in folders if os.path.isdir(each)}
    return dict(sorted(found.items(), reverse=True))


class Servable:
    """The model of one name, and which of its versions is served."""

    def __init__(self, name: str, base_path: Path):
        self.name, self._base_path = name, base_path
        self.loaded: Loaded | None = None
        self._failures: dict[int, str] = {}
        self._is_missing = False

    def refresh(self) -> None:
        """Look into the folder, and serve the highest version that can be loaded."""
        found = versions(self._base_path)
        if not found and not self._is_missing:
            report.say(
                f"No versions of servable {self.name} found under base path {self._base_path}:"
                f" mount the model at a number, such as {self._base_path}/1"
            )
        self._is_missing = not found
        self._failures = {number: why for number, why in self._failures.items() if number in found}
        self.loaded = next(filter(None, (self._load(*each) for each in found.items())), None)

    def _load(self, number: int, folder: Path) -> Loaded | None:
        """The version, loaded unless it is already; None if it cannot be, which is said once."""
        if self.loaded is not None and self.loaded.number == number:
            return self.loaded
        try:
            loaded = load(number, folder)
        except Failure as failure:
            if self._failures.get(number) != str(failure):
                report.say(str(failure))
            self._failures[number] = str(failure)
            return None
        self._failures.pop(number, None)
        report.say(f"Successfully loaded servable version {{name: {self.name} version: {number}}}")
        return loaded

    def states(self) -> dict[int, dict[str, Any]]:
        """What the status API says of each version that is served or could not be."""
        states = {
            number: _state(number, "END", "UNKNOWN", why)
            for number, why in dict(self._failures).items()  # `refresh` runs in another thread
        }
        if self.loaded is not None:
            states[self.loaded.number] = _state(self.loaded.number, "AVAILABLE", "OK", "")
        return dict(sorted(states.items(), reverse=True))


def _state(number: int, state: str, error_code: str, error_message: str) -> dict[str, Any]:
    status = {"error_code": error_code, "error_message": error_message}
    return {"version": str(number), "state": state, "status": status}
