"""Roles, authorisations and profiles of a node (rbac(7))."""
