"""Asking a network whether an address is in use, and telling it that it has moved (RFC 826, 5227, 4861, 4862).

Whole Ethernet frames by a packet socket, so that nothing depends on the addresses that the kernel has. Needs root.
"""
from __future__ import annotations

import _socket
import os
import select
import time
from _struct import pack, unpack_from

ARP, IPV6, ICMPV6 = 0x0806, 0x86DD, 58
BROADCAST = b"\xff" * 6
ARP_REQUEST, ARP_REPLY = 1, 2
SOLICITATION, ADVERTISEMENT = 135, 136
OVERRIDE = 0x20000000
ALL_NODES = _socket.inet_pton(_socket.AF_INET6, "ff02::1")
#: How long an answer is waited for. The kernel at the other end of a bridge answers in well under a millisecond.
#: illumos asks three times, 150 ms apart (ip_tunables.c, _arp_fastprobe_interval): a host is slower than the lab here.
PATIENCE_S = 0.01


def arp(mac: bytes, kind: int, sender: bytes, target_mac: bytes, target: bytes) -> bytes:
    return (BROADCAST + mac + pack("!HHHBBH", ARP, 1, 0x0800, 6, 4, kind) + mac + sender + target_mac + target)


def checksum(source: bytes, target: bytes, message: bytes) -> int:
    """Of an ICMPv6 message, over its pseudo-header (RFC 8200, 8.1)."""
    whole = source + target + pack("!II", len(message), ICMPV6) + message
    total: int = sum(unpack_from(f"!{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def neighbour_message(mac: bytes, kind: int, flags: int, source: bytes, target: bytes, about: bytes,
                      option: bytes) -> bytes:
    """A neighbour discovery frame to the multicast address `target`."""
    body = pack("!I", flags) + about + option
    sealed = checksum(source, target, pack("!BBH", kind, 0, 0) + body)
    message = pack("!BBH", kind, 0, sealed) + body
    return (b"\x33\x33" + target[12:] + mac + pack("!HIHBB", IPV6, 6 << 28, len(message), ICMPV6, 255)
            + source + target + message)


def claimed(frame: bytes, address: bytes, mac: bytes) -> bool:
    """Does this frame say that a machine with another MAC address has the address?"""
    if len(address) == 4:
        return frame[28:32] == address and frame[22:28] != mac
    return frame[20] == ICMPV6 and frame[54] == ADVERTISEMENT and frame[62:78] == address and frame[6:12] != mac


class Wire:
    """An interface, for questions about one address (4 or 16 bytes) and statements about it."""

    def __init__(self, interface: str, address: bytes) -> None:
        protocol = ARP if len(address) == 4 else IPV6
        # Protocol 0 until bind: a socket that listens already would wait for the kernel's grace period there.
        self.socket = _socket.socket(_socket.AF_PACKET, _socket.SOCK_RAW, 0)
        self.socket.bind((interface, protocol))
        self.mac = self.socket.getsockname()[4]
        self.address = address

    def in_use(self) -> bool:
        """Does another machine answer for the address? The probe names no sender, so it changes no table."""
        if len(self.address) == 4:
            self.socket.send(arp(self.mac, ARP_REQUEST, b"\0" * 4, b"\0" * 6, self.address))
        else:
            asked = ALL_NODES[:11] + b"\x01\xff" + self.address[13:]
            self.socket.send(neighbour_message(self.mac, SOLICITATION, 0, b"\0" * 16, asked, self.address, b""))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return False
            if claimed(self.socket.recv(1514), self.address, self.mac):
                return True

    def announce(self) -> None:
        """Tell every machine on the link that the address is here.

        IPv4: gratuitous ARP as request and as reply, for some heed only one (RFC 5227, 3). IPv6: an unsolicited
        neighbour advertisement with the override flag (RFC 4861, 7.2.6).
        """
        own, mac = self.address, self.mac
        if len(own) == 4:
            self.socket.send(arp(mac, ARP_REQUEST, own, b"\0" * 6, own))
            self.socket.send(arp(mac, ARP_REPLY, own, BROADCAST, own))
        else:
            option = b"\x02\x01" + mac
            self.socket.send(neighbour_message(mac, ADVERTISEMENT, OVERRIDE, own, ALL_NODES, own, option))

    def close(self) -> None:
        """Let a child close it last: the kernel holds up the last close of a packet socket for tens of milliseconds."""
        until, closed = os.pipe()
        if os.fork() == 0:
            for descriptor in (0, 1, 2, closed):
                os.close(descriptor)
            os.read(until, 1)
            os._exit(0)
        self.socket.close()
        os.close(closed)
        os.close(until)
