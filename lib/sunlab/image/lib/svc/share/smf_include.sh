#!/sbin/sh
# What SMF methods share (smf_method(7)): source it with `. /lib/svc/share/smf_include.sh`.

smf_present () {
	[ -S /var/run/svc/door ]
}

smf_clear_env () {
	unset SMF_FMRI SMF_METHOD SMF_RESTARTER SMF_ZONENAME
}

smf_console () {
	tee ${SMF_MSGLOG_DEV:-/dev/console} >&1
}

smf_zonename () {
	echo "${SMF_ZONENAME:=$(/sbin/zonename)}"
}

smf_is_globalzone () {
	[ "${SMF_ZONENAME:=$(/sbin/zonename)}" = "global" ]
}

smf_is_nonglobalzone () {
	[ "${SMF_ZONENAME:=$(/sbin/zonename)}" != "global" ]
}

smf_configure_ip () {
	smf_is_globalzone
}

smf_dont_configure_ip () {
	! smf_configure_ip
}

smf_root_is_ramdisk () {
	return 1
}

smf_netstrategy () {
	_INIT_NET_STRATEGY=none
	export _INIT_NET_STRATEGY
}

smf_is_system_labeled () {
	return 1
}

# smf_kill_contract CONTRACT SIGNAL [WAIT] [TIMEOUT]: WAIT 1 waits until the contract is empty, TIMEOUT seconds at most
# (0: for ever). Returns 0, 1 (bad contract or arguments) or 2 (still there at the time-out). Signals again every 5 s.
smf_kill_contract () {
	_ctid=$1 _signal=$2 _wait=${3:-0} _limit=${4:-0}
	_members=/system/contract/$_ctid/cgroup.procs
	case "$_ctid$_wait$_limit" in
	''|*[!0-9]*) return 1 ;;
	esac
	[ -n "$_signal" ] && [ -r "$_members" ] || return 1
	kill -s "${_signal#SIG}" $(cat "$_members") 2>/dev/null
	[ "$_wait" = 1 ] || return 0
	_fifths=0
	while [ -n "$(cat "$_members" 2>/dev/null)" ]; do
		[ "$_limit" -gt 0 ] && [ $_fifths -ge $((_limit * 5)) ] && return 2
		sleep 0.2
		_fifths=$((_fifths + 1))
		[ $((_fifths % 25)) -eq 0 ] && kill -s "${_signal#SIG}" $(cat "$_members") 2>/dev/null
	done
	return 0
}

# Exit statuses of methods.
SMF_EXIT_OK=0
SMF_EXIT_ERR_FATAL=95
SMF_EXIT_ERR_CONFIG=96
SMF_EXIT_MON_DEGRADE=97
SMF_EXIT_MON_OFFLINE=98
SMF_EXIT_ERR_NOSMF=99
SMF_EXIT_ERR_PERM=100
SMF_EXIT_TEMP_DISABLE=101
read -r _platform </etc/sunlab-platform 2>/dev/null || _platform=illumos
if [ "$_platform" = solaris11.4 ]; then
	SMF_EXIT_TEMP_TRANSIENT=102
else
	SMF_EXIT_NODAEMON=94
fi

# smf_method_exit STATUS [SHORT_REASON] TEXT: TEXT becomes the instance's comment until it is enabled again. Solaris 11.4
# has a short reason before the text, illumos has none.
smf_method_exit () {
	_status=$1
	[ $# -lt 3 ] || shift
	_text=$(printf '%s' "$2" | sed 's/["\\]/\\&/g')
	svcprop -q -c -p general_ovr "$SMF_FMRI" 2>/dev/null ||
	    svccfg -s "$SMF_FMRI" addpg general_ovr framework P
	svccfg -s "$SMF_FMRI" "setprop general_ovr/comment = astring: \"$_text\""
	exit "$_status"
}
