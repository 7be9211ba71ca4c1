"""The NFS client of a lab node: version 3 over TCP (RFC 1813), by a process that serves the kernel through FUSE."""
