"""Dataclasses to bytes and back: compact JSON, positional fields, decoded strictly by their type annotations.

A class travels as the list of its fields in order of declaration; the body of a frame has its class name in front.
What does not fit the annotation exactly is a FrameError: nothing is converted, guessed or left out.
"""
import collections.abc
import json
import math
import operator
import typing
import zlib
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from typing import Any, Callable, Dict, Sequence, Tuple

from sundog.core import frames
from sundog.errors import SundogError

Decode = Callable[[Any], Any]

#: Made once: json.dumps and json.loads make one for every call.
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)

#: No text that a peer sends may unpack to more than this many bytes.
LARGEST = 8 << 20
_COMPRESS_ABOVE = 1200
_PLAIN, _PACKED = b"j", b"z"
_BODIES: Dict[str, type] = {kind.__name__: kind for kind in typing.get_args(frames.Body)}


class FrameError(SundogError):
    """Bytes that are not what they should be: `reason` is the counter they go under (key, stale, garbage, unknown)."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason


def garbage(what: str) -> FrameError:
    return FrameError("garbage", what)


def pack(value: Any) -> bytes:
    """A dataclass as bytes, compressed when that pays."""
    text = _ENCODER.encode(_plain(value)).encode()
    return _PACKED + zlib.compress(text, 1) if len(text) > _COMPRESS_ABOVE else _PLAIN + text


def unpack(kind: type, packed: bytes) -> Any:
    """The dataclass of class `kind` that `pack` made `packed` from. Raises FrameError."""
    return decoder(kind)(_parse(packed))


def pack_body(body: frames.Body) -> bytes:
    text = _ENCODER.encode([type(body).__name__, _plain(body)]).encode()
    return _PACKED + zlib.compress(text, 1) if len(text) > _COMPRESS_ABOVE else _PLAIN + text


def unpack_body(packed: bytes) -> frames.Body:
    """One of the bodies of core/frames.py. Raises FrameError."""
    tagged = _parse(packed)
    if not (isinstance(tagged, list) and len(tagged) == 2 and isinstance(tagged[0], str)):
        raise garbage("the body has no class name")
    kind = _BODIES.get(tagged[0])
    if kind is None:
        raise garbage(f"unknown body {tagged[0][:40]!r}")
    return decoder(kind)(tagged[1])     # type: ignore[no-any-return]


_BARE = frozenset((str, int, float, bool, type(None)))


def _plain(value: Any) -> Any:
    kind = value.__class__
    return value if kind in _BARE else _form(kind)(value)


@lru_cache(maxsize=None)
def _form(kind: Any) -> Callable[[Any], Any]:
    """What turns a value of this class into plain JSON."""
    if issubclass(kind, (tuple, list)):
        return _listed
    if issubclass(kind, collections.abc.Mapping):
        return lambda value: {key: _plain(item) for key, item in value.items()}
    names = [field.name for field in fields(kind)]
    if len(names) == 1:
        return lambda value: [_plain(getattr(value, *names))]
    read = operator.attrgetter(*names)
    return lambda value: _listed(read(value))


def _listed(values: Sequence[Any]) -> Sequence[Any]:
    return values if _BARE.issuperset(map(type, values)) else [_plain(item) for item in values]


def _parse(packed: bytes) -> Any:
    try:
        text = _text(packed).decode()
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise garbage(f"not JSON: {error}") from None
    if end != len(text):
        raise garbage("more than one JSON value")
    return value


def _text(packed: bytes) -> bytes:
    form, rest = packed[:1], packed[1:]
    if form == _PLAIN:
        return rest
    if form != _PACKED:
        raise garbage("neither plain nor packed")
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(rest, LARGEST)
    except zlib.error as error:
        raise garbage(f"does not unpack: {error}") from None
    if not inflate.eof or inflate.unused_data:
        raise garbage("does not unpack to one whole text of bearable size")
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


@lru_cache(maxsize=None)
def decoder(kind: Any) -> Decode:
    """The function that turns plain JSON into a value of the annotation `kind`, or raises FrameError."""
    if is_dataclass(kind):
        return _dataclass(kind)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union and len(args) == 2 and type(None) in args:
        return _optional(decoder(next(arg for arg in args if arg is not type(None))))
    if origin is tuple:
        return _sequence(decoder(args[0])) if args[-1] is Ellipsis else _fixed(tuple(decoder(arg) for arg in args))
    if origin is not None and issubclass(origin, collections.abc.Mapping):
        return _mapping(decoder(args[1]))
    if kind is float:
        return _float
    if kind in (int, str, bool):
        return _exactly(kind)
    raise TypeError(f"no way to decode {kind}")


def _exactly(kind: type) -> Decode:
    def decode(plain: Any) -> Any:
        if type(plain) is not kind:
            raise garbage(f"{kind.__name__} expected, got {type(plain).__name__}")
        return plain
    return decode


def _float(plain: Any) -> float:
    if type(plain) not in (int, float):
        raise garbage(f"number expected, got {type(plain).__name__}")
    try:
        value = float(plain)
    except OverflowError:
        raise garbage("number out of range") from None
    if not math.isfinite(value):
        raise garbage("number out of range")
    return value


def _optional(inner: Decode) -> Decode:
    return lambda plain: None if plain is None else inner(plain)


def _sequence(item: Decode) -> Decode:
    def decode(plain: Any) -> Tuple[Any, ...]:
        if type(plain) is not list:
            raise garbage("list expected")
        return tuple(item(one) for one in plain)
    return decode


def _fixed(items: Tuple[Decode, ...]) -> Decode:
    def decode(plain: Any) -> Tuple[Any, ...]:
        if type(plain) is not list or len(plain) != len(items):
            raise garbage(f"list of {len(items)} expected")
        return tuple(item(one) for item, one in zip(items, plain))
    return decode


def _mapping(item: Decode) -> Decode:
    def decode(plain: Any) -> Dict[str, Any]:
        if type(plain) is not dict:
            raise garbage("mapping expected")
        return {key: item(one) for key, one in plain.items()}
    return decode


def _dataclass(kind: Any) -> Decode:
    hints = typing.get_type_hints(kind)
    parts = []
    for field in fields(kind):
        part = decoder(hints[field.name])
        # A default of None outside Optional is read as empty by the core and travels as null.
        parts.append(_optional(part) if field.default is not MISSING and field.default is None else part)

    def decode(plain: Any) -> Any:
        if type(plain) is not list or len(plain) != len(parts):
            raise garbage(f"{kind.__name__} expected")
        return kind(*[part(one) for part, one in zip(parts, plain)])
    return decode
