"""syslogd(8) of a node: /dev/log to the files and hosts that /etc/syslog.conf names."""
