"""What svcs -? prints below the usage (svcs.c, print_help)."""

SVCS = """
\t-a  every instance, not only those that are enabled
\t-d  what the services depend on
\t-D  what depends on the services
\t-H  no header line
\t-l  everything about the services
\t-L  their log files
\t-o  these columns
\t-p  with the processes of each
\t-R  only instances of these restarters
\t-s  sorted by this column, ascending
\t-S  sorted by this column, descending
\t-v  in more detail
\t-x  why services are not running
\t-z  services of a zone
\t-Z  services of all zones

\tA service is named by its FMRI, an abbreviation or a pattern of fnmatch(7).

\tColumns:

\tCTID    contract
\tDESC    what the service is
\tFMRI    name
\tINST    instance part of the name
\tN       next state, one letter
\tNSTA    next state, short
\tNSTATE  next state
\tS       state, one letter
\tSCOPE   scope
\tSN      state and next state, one letter each
\tSVC     service part of the name
\tSTA     state, short
\tSTATE   state
\tSTIME   time of the last change of state
\tZONE    zone"""
