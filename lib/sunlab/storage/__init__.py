"""Storage of a lab node: zfs-fuse in the words of each system, and what it lacks."""
