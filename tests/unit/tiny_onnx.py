"""ONNX files of a few convolutions, written by hand: the test needs neither the onnx package nor a real detector.

An ONNX file is a protocol-buffer message; of its schema this writes what OpenCV and ONNX Runtime ask for.
"""

from pathlib import Path

import numpy as np

Message = bytes
FLOAT, INTEGERS = 1, 7  # data types of tensors
STRIDES = (8, 16, 32)


def save_yunet(path: Path, stride: int = 16) -> None:
    """A file in YuNet's layout: at `stride` the score of a cell is how red it is, and its box is 3 x 4 cells."""
    size = [0.5, 0.5, np.log(3.0), np.log(4.0)]
    parts = {"cls": (1, [0.0]), "obj": (1, [0.0]), "bbox": (4, size), "kps": (10, [0.0] * 10)}
    outputs = []
    for kind, (channels, bias) in parts.items():
        for s in STRIDES:
            red = channels if kind in ("cls", "obj") and s == stride else 0
            outputs.append((f"{kind}_{s}", s, channels, bias, red, (1, -1, channels)))
    _save(path, "input", 640, outputs)


def save_scrfd(path: Path, stride: int = 16) -> None:
    """A file in SCRFD's layout (two anchors in a cell): the score of a cell is how red it is, and its box reaches 1, 2,
    3 and 4 cells to the left, top, right and bottom of its corner."""
    parts = {"score": (1, [0.0, -0.2]), "bbox": (4, [1.0, 2.0, 3.0, 4.0] * 2), "kps": (10, [0.0] * 20)}
    outputs = []
    for kind, (width, bias) in parts.items():
        for s in STRIDES:
            red = 2 if kind == "score" and s == stride else 0
            outputs.append((f"{kind}_{s}", s, 2 * width, bias, red, (-1, width)))
    _save(path, "input.1", 640, outputs)


def _save(path: Path, name: str, side: int, outputs: list[tuple]) -> None:
    """Write a convolution as wide as its stride for each output (name, stride, channels, bias, red channels, shape)."""
    nodes, constants, values = [], [], []
    for output, stride, channels, bias, red, shape in outputs:
        weight = np.zeros((channels, 3, stride, stride), np.float32)
        # YuNet is given BGR from 0 to 255, SCRFD (BGR - 127.5) / 128; red less blue is the same mean in both
        scale = 1 / 255 if name == "input" else 128 / 255
        weight[:red, 2], weight[:red, 0] = scale / stride**2, -scale / stride**2
        constants += [
            _tensor(f"{output}_w", weight),
            _tensor(f"{output}_b", np.array(bias, np.float32)),
            _tensor(f"{output}_s", np.array(shape, np.int64)),
        ]
        sides = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
        nodes.append(_node("Conv", [name, f"{output}_w", f"{output}_b"], f"{output}_c", **sides))
        nodes.append(_node("Transpose", [f"{output}_c"], f"{output}_t", perm=[0, 2, 3, 1]))
        nodes.append(_node("Reshape", [f"{output}_t", f"{output}_s"], output))
        values.append(_value(output, [f"n{k}" if n < 0 else n for k, n in enumerate(shape)]))
    graph = [_bytes(1, node) for node in nodes] + [_bytes(2, "tiny")] + [_bytes(5, c) for c in constants]
    graph += [_bytes(11, _value(name, [1, 3, side, side]))] + [_bytes(12, value) for value in values]
    operators = _bytes(1, "") + _number(2, 11)
    path.write_bytes(_number(1, 7) + _bytes(7, b"".join(graph)) + _bytes(8, operators))


def _varint(value: int) -> Message:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> Message:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: Message | str) -> Message:
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _tensor(name: str, array: np.ndarray) -> Message:
    kind = FLOAT if array.dtype == np.float32 else INTEGERS
    sides = b"".join(_number(1, side) for side in array.shape)
    return sides + _number(2, kind) + _bytes(8, name) + _bytes(9, array.tobytes())


def _node(operator: str, inputs: list[str], output: str, **attributes: list[int]) -> Message:
    parts = [_bytes(1, name) for name in inputs] + [_bytes(2, output), _bytes(4, operator)]
    for name, numbers in attributes.items():
        attribute = _bytes(1, name) + b"".join(_number(8, n) for n in numbers) + _number(20, INTEGERS)
        parts.append(_bytes(5, attribute))
    return b"".join(parts)


def _value(name: str, shape: list[int | str]) -> Message:
    sides = (_bytes(1, _bytes(2, s) if isinstance(s, str) else _number(1, s)) for s in shape)
    kind = _number(1, FLOAT) + _bytes(2, b"".join(sides))
    return _bytes(1, name) + _bytes(2, _bytes(1, kind))
