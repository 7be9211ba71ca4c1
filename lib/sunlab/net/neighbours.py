"""Asking a network whether an address is in use, and telling it that it has moved (RFC 826, 5227, 4861).

IPv4: ARP frames by a packet socket. IPv6: neighbour messages by a raw ICMPv6 socket. Both need root.
"""
import select
import socket
import struct
import time

ARP = 0x0806
BROADCAST = b"\xff" * 6
REQUEST, REPLY = 1, 2
#: How long an answer to a probe is waited for. A neighbour on the same bridge answers within a millisecond.
PATIENCE_S = 0.02
ALL_NODES = "ff02::1"


def _arp(mac: bytes, kind: int, sender_ip: bytes, target_mac: bytes, target_ip: bytes) -> bytes:
    return (BROADCAST + mac + struct.pack("!HHHBBH", ARP, 1, 0x0800, 6, 4, kind)
            + mac + sender_ip + target_mac + target_ip)


def _packet_socket(interface: str) -> socket.socket:
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP))
    packets.bind((interface, ARP))
    return packets


def in_use_v4(interface: str, address: str) -> bool:
    """Does another machine answer for the address? An ARP probe, with no sender address (RFC 5227, 2.1.1)."""
    wanted = socket.inet_aton(address)
    with _packet_socket(interface) as packets:
        mac = packets.getsockname()[4]
        packets.send(_arp(mac, REQUEST, b"\0" * 4, b"\0" * 6, wanted))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([packets], [], [], left)[0]:
                return False
            frame = packets.recv(1514)
            if frame[28:32] == wanted and frame[22:28] != mac:
                return True


def announce_v4(interface: str, address: str) -> None:
    """Gratuitous ARP in both forms, request and reply: some hosts heed only one (RFC 5227, 3)."""
    own = socket.inet_aton(address)
    with _packet_socket(interface) as packets:
        mac = packets.getsockname()[4]
        packets.send(_arp(mac, REQUEST, own, b"\0" * 6, own))
        packets.send(_arp(mac, REPLY, own, BROADCAST, own))


def _icmp_socket(interface: str) -> socket.socket:
    messages = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    index = socket.if_nametoindex(interface)
    messages.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    messages.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    messages.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    return messages


def in_use_v6(interface: str, address: str) -> bool:
    """Does another machine answer a neighbour solicitation for the address (RFC 4861, 4.3)?"""
    wanted = socket.inet_pton(socket.AF_INET6, address)
    group = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:0")[:13] + wanted[13:])
    with _packet_socket(interface) as packets:
        mac = packets.getsockname()[4]
    with _icmp_socket(interface) as messages:
        ask = struct.pack("!BBHI", 135, 0, 0, 0) + wanted + b"\x01\x01" + mac
        messages.sendto(ask, (group, 0, 0, socket.if_nametoindex(interface)))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([messages], [], [], left)[0]:
                return False
            answer = messages.recv(1500)
            if answer[0] == 136 and answer[8:24] == wanted:
                return True


def announce_v6(interface: str, address: str) -> None:
    """Unsolicited neighbour advertisement with the override flag, to all nodes (RFC 4861, 7.2.6)."""
    own = socket.inet_pton(socket.AF_INET6, address)
    with _packet_socket(interface) as packets:
        mac = packets.getsockname()[4]
    with _icmp_socket(interface) as messages:
        tell = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + own + b"\x02\x01" + mac
        messages.sendto(tell, (ALL_NODES, 0, 0, socket.if_nametoindex(interface)))
