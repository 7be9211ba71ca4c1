"""The lab's shared disks as a node sees them, and what can be wrong with one."""
