"""Seeded mutations: of bytes, of text, of JSON trees, of members behind a checksum."""

from __future__ import annotations

import copy
import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

Mutation = Callable[[bytes, random.Random], bytes]

_LONGEST_SPAN = 64
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**20, 2**30, 2**31 - 1)
_EXTREMES += (2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1)
_WORDS = (
    *("", "0", "1", "-1", "2", "1.0", "0.0", "1e999", "-1e999", "NaN", "nan", "1e-400"),
    *("Infinity", "null", "true", "false", "True", "?", "[]", "{}", "[[", '"', '"x"'),
    *("9" * 25, "-" + "9" * 25, "9" * 5000, "1" + "0" * 400, "\\ud800", "\\u0000"),
    *("\0", "\ufeff", "\u2028", "\x85", "\r", "é", "e\u0301", ",", ";", "\t", "#"),
    *(
        "/" * 300,
        "a" * 300,
        "../../..",
        "/dev/zero",
        "http://x/",
        "s3://x/y",
        "[" * 2000,
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 1.0, 0.5, float("nan"), float("inf"), 10**25),
    *(-(10**400), 1e300, "", "x", "1", "1.0", "\ud800", "\udcff", "a\0b", "a" * 300),
    *([], {}, [[]], [None], [1], ["x"], {"x": 1}, [1, 2, 3, 4], [float("nan")] * 4),
    *([0] * 51, ["1"] * 51, [[1]], {"0": {}}, "../../x", "/dev/zero"),
)


def mutate_bytes(content: bytes, chance: random.Random) -> bytes:
    """One to three changes anywhere: what a broken disk, or an attacker, does."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        chance.choice(_BYTE_CHANGES)(data, chance)
    return bytes(data)


def mutate_text(content: bytes, chance: random.Random) -> bytes:
    """Changes of words and numbers half the time, of bytes otherwise."""
    if chance.random() < 0.4:
        return mutate_bytes(content, chance)
    text = content.decode("utf-8", "surrogateescape")
    for _ in range(chance.choice((1, 1, 2))):
        text = chance.choice(_TEXT_CHANGES)(text, chance)
    return text.encode("utf-8", "surrogateescape")


def mutate_json(content: bytes, chance: random.Random) -> bytes:
    """A value of the tree replaced, removed or doubled half the time; else as text."""
    if chance.random() < 0.4:
        return mutate_text(content, chance)
    return json.dumps(mutate_tree(json.loads(content), chance)).encode()


def mutate_tree(value: Any, chance: random.Random) -> Any:
    """Another value, one or two places of which were replaced, removed or doubled."""
    tree = [copy.deepcopy(value)]
    for _ in range(chance.choice((1, 1, 2))):
        _change_tree(tree, chance)
    return tree[0]


def mutate_json_line(content: bytes, chance: random.Random) -> bytes:
    """As :func:`mutate_json`, of one of the lines."""
    lines = content.splitlines()
    number = chance.randrange(len(lines))
    lines[number] = mutate_json(lines[number], chance)
    return b"\n".join(lines) + b"\n"


def mutate_zip(content: bytes, chance: random.Random) -> bytes:
    """A member changed, and its checksum made to fit; now and then the file itself."""
    if chance.random() < 0.2:
        return mutate_bytes(content, chance)
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = {info: source.read(info) for info in source.infolist()}
    program = [info for info in members if info.filename.endswith(".pkl")]
    chosen = chance.choice([*members, *program * 3])
    members[chosen] = mutate_bytes(members[chosen], chance)
    with zipfile.ZipFile(target, "w") as rewritten:
        for info, member in members.items():
            undated = zipfile.ZipInfo(info.filename)
            rewritten.writestr(undated, member, info.compress_type)
    return target.getvalue()


def mutate_png(content: bytes, chance: random.Random) -> bytes:
    """A chunk changed, and its checksum made to fit; now and then the file itself."""
    if chance.random() < 0.3:
        return mutate_bytes(content, chance)
    chunks, start = [], 8
    while start < len(content):
        (size,) = struct.unpack(">I", content[start : start + 4])
        chunks.append(content[start + 4 : start + 8 + size])
        start += 12 + size
    number = chance.choice([0, chance.randrange(len(chunks))])
    kind, body = chunks[number][:4], chunks[number][4:]
    chunks[number] = kind + mutate_bytes(body, chance)
    written = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )
    return content[:8] + b"".join(written)


def mutate_graph(content: bytes, chance: random.Random) -> bytes:
    """A field of an ONNX model changed, removed or doubled; its form stays whole."""
    import onnx

    model = onnx.ModelProto.FromString(content)
    for _ in range(chance.choice((1, 1, 2))):
        _change_message(model, chance)
    return model.SerializePartialToString()


# --- bytes ----------------------------------------------------------------------------


def _place(data: bytearray, chance: random.Random) -> int:
    """A position; more often near the ends, where headers and directories are."""
    if not data:
        return 0
    near = min(len(data), 256)
    return chance.choice(
        (
            chance.randrange(len(data)),
            chance.randrange(len(data)),
            chance.randrange(near),
            len(data) - 1 - chance.randrange(near),
        )
    )


def _span(data: bytearray, chance: random.Random) -> slice:
    start = _place(data, chance)
    return slice(start, start + chance.randint(1, _LONGEST_SPAN))


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8))):
        if data:
            data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _fill(data: bytearray, chance: random.Random) -> None:
    span = _span(data, chance)
    count = len(data[span])
    data[span] = chance.choice((b"\0", b"\xff", chance.randbytes(1))) * count


def _randomize(data: bytearray, chance: random.Random) -> None:
    span = _span(data, chance)
    data[span] = chance.randbytes(len(data[span]))


def _set_number(data: bytearray, chance: random.Random) -> None:
    size = chance.choice((1, 2, 4, 4, 8))
    start = _place(data, chance) // size * size
    value = chance.choice(_EXTREMES) % 256**size
    data[start : start + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _insert(data: bytearray, chance: random.Random) -> None:
    start = _place(data, chance)
    data[start:start] = chance.randbytes(chance.randint(1, 16))


def _remove(data: bytearray, chance: random.Random) -> None:
    del data[_span(data, chance)]


def _splice(data: bytearray, chance: random.Random) -> None:
    source = bytes(data[_span(data, chance)])
    start = _place(data, chance)
    data[start : start + len(source)] = source


def _double(data: bytearray, chance: random.Random) -> None:
    span = _span(data, chance)
    data[span.start : span.start] = data[span] * chance.choice((1, 1, 2, 100))


_BYTE_CHANGES = (
    *(_flip_bits, _flip_bits, _fill, _randomize, _set_number, _set_number),
    *(_truncate, _insert, _remove, _splice, _double),
)


# --- text -----------------------------------------------------------------------------


def _replace_match(pattern: str) -> Callable[[str, random.Random], str]:
    def change(text: str, chance: random.Random) -> str:
        found = list(re.finditer(pattern, text))
        if not found:
            return text
        match = chance.choice(found)
        return text[: match.start()] + chance.choice(_WORDS) + text[match.end() :]

    return change


def _insert_word(text: str, chance: random.Random) -> str:
    start = chance.randint(0, len(text))
    return text[:start] + chance.choice(_WORDS) + text[start:]


def _change_line(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    number = chance.randrange(len(lines))
    line = chance.choice(lines)
    lines[number : number + chance.randint(0, 1)] = [line] * chance.randint(0, 2)
    return "\n".join(lines)


_TEXT_CHANGES = (
    *(_replace_match(r"-?\d+(\.\d+)?"), _replace_match(r"-?\d+(\.\d+)?")),
    *(_replace_match(r"\w+"), _replace_match(r"[^\w\s]"), _replace_match(r"\s")),
    *(_insert_word, _change_line),
)


# --- JSON -----------------------------------------------------------------------------


def _change_tree(tree: list[Any], chance: random.Random) -> None:
    holders = [(node, key) for node in _nodes(tree) for key in _keys(node)]
    holder, key = chance.choice(holders)
    deed = chance.random()
    if deed < 0.15 and holder is not tree:
        del holder[key]
    elif deed < 0.25 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif deed < 0.35 and isinstance(holder, dict):
        holder[str(chance.choice(_VALUES))] = holder.pop(key)
    elif deed < 0.45:
        other, there = chance.choice(holders)
        holder[key] = copy.deepcopy(other[there])
    elif deed < 0.47:
        holder[key] = _deep(chance)
    else:
        holder[key] = copy.deepcopy(chance.choice(_VALUES))


def _nodes(tree: Any) -> list[Any]:
    found = [tree]
    for key in _keys(tree):
        if isinstance(tree[key], (list, dict)):
            found += _nodes(tree[key])
    return found


def _keys(node: Any) -> list[Any]:
    return list(node) if isinstance(node, dict) else list(range(len(node)))


def _deep(chance: random.Random) -> Any:
    value: Any = 1
    for _ in range(chance.choice((5, 60, 150))):
        value = [value] if chance.random() < 0.5 else {"x": value}
    return value


# --- protocol buffers -----------------------------------------------------------------

_OPERATORS = ("Identity", "Loop", "If", "ConstantOfShape", "Expand", "Tile", "Resize")
_OPERATORS += ("Conv", "Reshape", "Gather", "TopK", "Range", "Pad", "Einsum", "Slice")


def _change_message(message: Any, chance: random.Random) -> None:
    holder, described = chance.choice(_fields(message))
    name = described.name
    values = getattr(holder, name)
    if described.is_repeated:
        place = chance.randrange(len(values))
        deed = chance.random()
        if deed < 0.15:
            del values[place]
        elif deed < 0.3:
            values.extend([values[place]])
        elif described.message_type is None:
            values[place] = _other_value(described, values[place], chance)
    elif described.message_type is None and chance.random() < 0.9:
        setattr(holder, name, _other_value(described, values, chance))
    else:
        holder.ClearField(name)


def _fields(message: Any) -> list[tuple[Any, Any]]:
    """All fields that are set, with the messages that hold them."""
    found = []
    for described, value in message.ListFields():
        found.append((message, described))
        if described.message_type is not None:
            for inner in value if described.is_repeated else [value]:
                found += _fields(inner)
    return found


def _other_value(described: Any, value: Any, chance: random.Random) -> Any:
    if isinstance(value, bytes):
        return mutate_bytes(value, chance)
    if isinstance(value, str):
        words = (*_OPERATORS, *_WORDS, value[:-1], value + "x")
        return chance.choice(words).encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return chance.choice((0.0, -1.0, 1e30, float("inf"), float("nan")))
    if described.enum_type is not None:
        return chance.choice(described.enum_type.values).number
    limit = 31 if described.cpp_type == described.CPPTYPE_INT32 else 63
    number = chance.choice((*_EXTREMES, -1, -2, 3, 17, value + 1))
    return max(-(2**limit), min(number, 2**limit - 1))
