"""XDR (RFC 4506): the data of RPC. Pure."""
from __future__ import annotations

import struct


def opaque(data: bytes) -> bytes:
    """Of variable length; strings too."""
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def long(value: int) -> bytes:
    return struct.pack(">Q", value)


class Reader:
    """Raises struct.error beyond the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self) -> int:
        return int(self.take(">I")[0])

    def long(self) -> int:
        return int(self.take(">Q")[0])

    def take(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return found

    def fixed(self, size: int) -> bytes:
        found = self.data[self.at:self.at + size]
        if len(found) < size:
            raise struct.error("the data is shorter than it says")
        self.at += size + -size % 4
        return found

    def opaque(self) -> bytes:
        return self.fixed(self.number())
