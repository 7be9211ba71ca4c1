"""File systems of a lab node as an operator sees them: the mount table, vfstab, UFS, NFS."""
