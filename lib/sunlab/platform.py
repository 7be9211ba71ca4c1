"""Which system a node stands for, and where the two differ: the lab file's `platform:`.

Commands import this before anything else, so it imports nothing (typing alone costs them half their time).
"""

FILE = "/etc/sunlab-platform"


class Platform:
    """illumos. A difference is an attribute, named for what the system does; code asks for it, never for the name."""
    name = "illumos"
    version = "omnios-r151060-sunlab"   # uname -v
    starts = 10                         # svc.startd: this many starts within `starts_within_s` are too many
    starts_within_s = 600.0
    child_count = 10                    # failed exits of a child service, more than one a second, that delay it by 1 s
    exits = {94: "nodaemon", 97: "degraded", 101: "disable"}     # of methods; 95, 96, 99, 100 are fatal everywhere
    selects_by_state = True             # svcadm -S STATE; disable -c COMMENT
    goals = False                       # svcadm goals, svcadm -s -T SECONDS, svc:/milestone/goals:default
    multihost = True                    # of zpool; with it come the newer words and columns
    layers = False                      # svccfg and svcprop know layers (-l), svccfg delcust; there is a svcbundle
    rbac_reads_fragments = False        # *_attr.d count as they lie there; else svc:/system/rbac merges them
    sorts_chosen_columns = False        # svcs -o: rows are sorted as without it; else they stay as they were found
    stime_width = 8                     # svcs: the time of day, month and day or year; wider is a date and time (ISO)
    messages = "http://illumos.org/msg/"
    anet = False                        # `zonecfg create` without -b brings an automatic interface
    zone_instances = False              # each installed zone has an instance svc:/system/zones/zone:NAME, of svc.zones
    zone_unavailable = False            # a zone whose storage cannot be reached has a state for that
    zone_fields = ""                    # what `zoneadm list -p` has after the seven common fields
    zone_columns = "{:>4} {:<16} {:<10} {:<30} {:<8} {:<6}\n"   # of `zoneadm list -v`
    brands: "tuple[str, ...]" = ("ipkg", "lipkg", "sparse", "lx", "bhyve")      # of zones, the default first
    guesses_address = False             # ipadm create-addr: -T static may be left out, a bare interface gets a name
    plumbs_for_address = True           # ipadm create-addr makes the IP interface when there is none
    create_if = True                    # ipadm knows create-if, delete-if beside create-ip, delete-ip
    if_columns = "ifname,class,state,current,persistent"        # ipadm show-if
    tree = False                        # a bare `ipadm` shows interfaces and their addresses; else as show-addr
    link_columns = "link,class,mtu,state,bridge,over"           # dladm show-link
    df_posix = False                    # df -h and -k have XPG4's headers and widths


class Solaris(Platform):
    name = "solaris11.4"
    version = "11.4.42.111.0"
    starts_within_s = 9.0               # the mean gap of the last ten under 1 s
    exits = {97: "degraded", 101: "disable", 102: "nodaemon"}
    selects_by_state = False
    goals = True
    multihost = False
    layers = True
    rbac_reads_fragments = True
    sorts_chosen_columns = True
    stime_width = 19
    messages = "http://support.oracle.com/msg/"
    anet = True
    zone_instances = True
    zone_unavailable = True
    zone_fields = ":-:none:"
    zone_columns = "{:>4} {:<16} {:<11} {:<28} {:<10} {:<6}\n"
    brands = ("solaris",)
    guesses_address = True
    plumbs_for_address = False
    create_if = False
    if_columns = "ifname,class,state,active,over"
    tree = True
    link_columns = "link,class,mtu,state,over"
    df_posix = True


ILLUMOS = Platform()
SOLARIS = Solaris()
PLATFORMS = {one.name: one for one in (ILLUMOS, SOLARIS)}


def here() -> Platform:
    """This node's; illumos where nothing is said."""
    try:
        with open(FILE, encoding="ascii") as file:
            return PLATFORMS[file.read().strip()]
    except FileNotFoundError:
        return ILLUMOS
