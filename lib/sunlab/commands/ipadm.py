"""ipadm(8): interfaces, IPMP groups and address objects of a lab node, over the kernel of Linux.

What is not modelled (DHCP, VRRP, protocol and most interface properties) says so. Exit status: 0 done; 1 anything else.
"""
from __future__ import annotations

import os
import sys

from sunlab.net import addresses
from sunlab.net.columns import Refused, Usage
from sunlab.net.netlink import KernelRefused

#: Subcommand -> the module of sunlab.net that has it. Of the others, only what an address needs is loaded.
ELSEWHERE = {**dict.fromkeys(("show-if", "create-ip", "delete-ip", "enable-if", "disable-if"), "interfaces"),
             **dict.fromkeys(("create-ipmp", "delete-ipmp", "add-ipmp", "remove-ipmp"), "multipath"),
             **dict.fromkeys(("set-addrprop", "reset-addrprop", "show-addrprop", "set-ifprop", "show-ifprop"),
                             "properties")}
HERE = {"show-addr": addresses.show_addr, "create-addr": addresses.create_addr, "delete-addr": addresses.delete_addr,
        "up-addr": addresses.up_addr, "down-addr": addresses.down_addr, "refresh-addr": addresses.refresh_addr,
        "enable-addr": addresses.enable_addr, "disable-addr": addresses.disable_addr}
OLD = {"create-if": "create-ip", "delete-if": "delete-ip"}
NOT_MODELLED = ("reset-ifprop", "set-prop", "reset-prop", "show-prop", "create-vni", "delete-vni")


def run(verb: str, words: list[str]) -> None:
    if verb in OLD and addresses.here().create_if:
        verb = OLD[verb]
    if verb in NOT_MODELLED:
        raise Refused(f"sunlab: {verb}: not modelled in this lab")
    if verb in HERE:
        HERE[verb](words)
    elif verb in ELSEWHERE:
        module = __import__(f"sunlab.net.{ELSEWHERE[verb]}", fromlist=["*"])
        getattr(module, verb.replace("-", "_"))(words)
    else:
        raise Usage("ipadm <subcommand> <args> ...", f"unknown subcommand '{verb}'")


def main(argv: list[str]) -> int:
    try:
        if argv:
            if not argv[0].startswith("show-") and os.geteuid() != 0:
                raise Refused("Insufficient user authorizations")
            run(argv[0], argv[1:])
        elif addresses.here().tree:
            addresses.tree()
        else:
            addresses.show_addr([])
    except Usage as wrong:
        sys.stderr.write(f"ipadm: {wrong}\nusage: {wrong.form}\n")
        return 1
    except (Refused, KernelRefused, PermissionError) as refused:
        sys.stderr.write(f"ipadm: {refused}\n")
        return 1
    return 0
