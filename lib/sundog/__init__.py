"""Sundog: high availability for Solaris 11.4 and illumos."""
