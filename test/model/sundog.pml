/*
 * Ledger, authority and lease of Sundog (docs/architecture.md, Safety), small enough to be explored whole.
 *
 * Two nodes may lead and own one group; three holders vote: one in each node, and a third. Time passes in ticks; every
 * instant is kept as an age or as a rest, so that states repeat. It begins with node 0 as an acknowledged leader.
 * What was sent DELAY ticks ago arrives now, or what is sent now, or nothing: a message is no state of its own.
 * Node 1's clock may miss a tick. A guard that is left out with -DWITHOUT_X must make an assertion fail: check.py tries
 * each.
 *
 * Not in here: several groups, joining by hostid, disks (a holder that is watched instead of asked), fencing devices,
 * a change of the holders. The simulator has those (test/simulation).
 */
#ifndef L
#define L 4                             /* timeout */
#define A 2                             /* promise of a holder; the product has 0.4 L */
#endif
#ifndef GUARD
#define GUARD 1
#endif
#ifndef DELAY
#define DELAY 2
#endif
#ifndef BALLOTS
#define BALLOTS 3                       /* begun in all, with the first leader's */
#endif
#ifndef VERSIONS
#define VERSIONS 2                      /* changes of the ledger */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define OLD L                           /* ages stop counting here */
#define UNSET 15

/* A value of the ledger: the group is one node's, in one of its boots, active or stopping. */
#define NONE 0
#define ON(n, in) (1 + 2 * (n) + (in))
#define STOPPING(n, in) (5 + 2 * (n) + (in))
#define IS_ON(v) ((v) >= 1 && (v) <= 4)
#define IS_STOPPING(v) ((v) >= 5)
#define OWNER(v) ((((v) - 1) >> 1) & 1)
#define BOOT(v) (((v) - 1) & 1)

/* Holders. */
byte h_mbal[3], h_bal[3], h_version[3], h_value[3];
byte h_leader[3];                       /* whom it acknowledged last, since its start: node + 1, or 0 */
byte h_age[3];                          /* since then, or since its start */

/* Nodes as candidates and leaders. */
#define IDLE 0
#define PREPARING 1
#define WRITING 2
#define NOT_YET 3
byte phase[2], ballot[2];
byte promised[2];                       /* another holder that has begun the ballot, or NOT_YET; the own comes last */
byte found_bal[2], found_version[2], found_value[2];
byte led_age[2];                        /* since another leader can last have been acknowledged */
byte version[2], value[2], chosen_value[2];
bit committed[2], elected[2];
byte assured_age[2];                    /* since the newest probe left that a majority acknowledged */
byte heard_age[2];                      /* since the leader heard the other node */

/* Nodes as owners. */
byte lease[2];                          /* what is left of it; failfast holds the same deadline */
bit current[2];                         /* there was a grant since this daemon started */
byte up_age[2];                         /* since this daemon started, up to DELAY */
byte known[2], known_value[2], newest[2];
bit runs[2], boot[2];

/* The world. */
byte ballots, crashes;
byte chosen[VERSIONS + 1];
bit lost_tick;                          /* node 1's clock has missed one */

#define LEADS(i) (phase[i] == WRITING && elected[i] && assured_age[i] < A)
#define MORE(age, most) age = (age < most -> age + 1 : most)
#define REST(full, spent) ((full) > (spent) + GUARD -> (full) - (spent) - GUARD : 0)
#define LEAST(x, y) ((x) < (y) -> (x) : (y))
#define MOST(x, y) ((x) > (y) -> (x) : (y))

#ifdef WITHOUT_PROMISE                  /* rule 2: a holder refuses another ballot for A */
#define LETS_IN(h, i) true
#else
#define LETS_IN(h, i) (h_leader[h] == (i) + 1 || h_age[h] >= A)
#endif
#ifdef WITHOUT_HORIZON                  /* rule 3: no lease beyond the leader's own horizon */
#define GRANTED_FOR(i) L
#else
#define GRANTED_FOR(i) (L - assured_age[i])
#endif
#ifdef WITHOUT_SEND_TIME                /* rule 3: a lease counts from when the heartbeat left */
#define SPENT(d) 0
#else
#define SPENT(d) (d)
#endif
#ifdef WITHOUT_PROBE_TIME               /* rule 2: authority counts from when the probe left */
#define PROBED(d) 0
#else
#define PROBED(d) (d)
#endif
#ifdef WITHOUT_SILENCE                  /* rule 5: silent for L */
#define SILENT(i) true
#else
#define SILENT(i) (heard_age[i] >= L)
#endif
#ifdef WITHOUT_PREDECESSORS             /* rule 5: what earlier leaders may have granted is over */
#define ALONE(i) true
#else
#define ALONE(i) (led_age[i] >= L)
#endif
#ifdef WITHOUT_CONFIRMED_STOP           /* rule 6: the owner says that it has stopped */
#define STOPPED(i, j) true
#else
#define STOPPED(i, j) (!runs[j] && known[j] == version[i])
#endif
#ifdef WITHOUT_BOOT_ID                  /* rule 7: a permit is for one boot of the owner */
#define THIS_BOOT(j) true
#else
#define THIS_BOOT(j) (BOOT(known_value[j]) == boot[j])
#endif
#ifdef WITHOUT_PERMIT                   /* rule 7: only the owner by the ledger may start */
#define OWNS(j) true
#else
#define OWNS(j) (IS_ON(known_value[j]) && OWNER(known_value[j]) == (j) && THIS_BOOT(j))
#endif
#ifdef WITHOUT_NEWEST                   /* an outdated ledger starts nothing */
#define UP_TO_DATE(j) true
#else
#define UP_TO_DATE(j) (known[j] >= newest[j])
#endif
#ifdef WITHOUT_FIRST_GRANT              /* a daemon that has just started does not trust its old lease */
#define CURRENT(j) true
#else
#define CURRENT(j) current[j]
#endif
#ifdef WITHOUT_DEPOSED                  /* no lease for a node that is being deposed */
#define DEPOSED(i, j) false
#else
#define DEPOSED(i, j) (!committed[i] && IS_ON(chosen_value[i]) && OWNER(chosen_value[i]) == (j) && OWNER(value[i]) != (j))
#endif
#ifdef WITHOUT_FENCING                  /* rule 4: without a lease nothing is active */
#define RESET(j) skip
#else
#define RESET(j) runs[j] = (lease[j] > 0 -> runs[j] : 0)
#endif
#ifdef WITHOUT_RESTART_WAIT             /* after its own start a holder refuses everybody for A */
#define AT_START OLD
#else
#define AT_START 0
#endif
#ifdef WITHOUT_BALLOTS                  /* Paxos: an older ballot is refused */
#define NOT_BELOW(i, h) true
#else
#define NOT_BELOW(i, h) (ballot[i] >= h_mbal[h])
#endif

inline idle(n) {
    phase[n] = IDLE; ballot[n] = 0; elected[n] = 0; committed[n] = 0; promised[n] = NOT_YET;
    led_age[n] = OLD; heard_age[n] = OLD; assured_age[n] = OLD;
    found_bal[n] = 0; found_version[n] = 0; found_value[n] = NONE;
    version[n] = 0; value[n] = NONE; chosen_value[n] = NONE
}

inline begin_ballot(n) {
    idle(n);
    ballots++; ballot[n] = ballots; phase[n] = PREPARING
}

inline begun_at(n, at) {
    h_mbal[at] = ballot[n];
    led_age[n] = LEAST(h_age[at], led_age[n]);
#ifndef WITHOUT_NEWEST_BLOCK            /* rule 1: carry on what may have been chosen */
    if
    :: h_bal[at] > found_bal[n] || (h_bal[at] == found_bal[n] && h_version[at] >= found_version[n]) ->
        found_bal[n] = h_bal[at]; found_version[n] = h_version[at]; found_value[n] = h_value[at]
    :: else
    fi
#else
    found_bal[n] = h_bal[at]; found_version[n] = h_version[at]; found_value[n] = h_value[at]
#endif
}

inline write_on(n) {
    phase[n] = WRITING; version[n] = found_version[n]; value[n] = found_value[n];
    promised[n] = NOT_YET; found_bal[n] = 0; found_version[n] = 0; found_value[n] = NONE
}

inline accept(n, at, since) {
    h_mbal[at] = ballot[n]; h_bal[at] = ballot[n]; h_version[at] = version[n]; h_value[at] = value[n];
    h_leader[at] = n + 1; h_age[at] = LEAST(h_age[at], since)
}

inline learn(n, at) {
    known[n] = at; known_value[n] = chosen[at]; newest[n] = MOST(newest[n], at)
}

inline choose(n) {
    assert(chosen[version[n]] == UNSET || chosen[version[n]] == value[n]);      /* one chain of versions */
    chosen[version[n]] = value[n]; committed[n] = 1; elected[n] = 1; chosen_value[n] = value[n];
    if
    :: version[n] > known[n] -> learn(n, version[n])
    :: else
    fi
}

inline assure(n, since) {
    assured_age[n] = LEAST(assured_age[n], PROBED(since));
    if
    :: !committed[n] -> choose(n)
    :: else
    fi;
    assert(!LEADS(n) || !LEADS(1-n) || lost_tick);              /* one leader at a time */
    /* The leader's own lease, by the same reckoning. */
    current[n] = 1;
    lease[n] = MOST(lease[n], REST(L, PROBED(since)))
}

inline grant(n, to, since) {
    heard_age[n] = 0; current[to] = 1;
    newest[to] = MOST(newest[to], (committed[n] -> version[n] : version[n] - 1));
    lease[to] = MOST(lease[to], REST(GRANTED_FOR(n), SPENT(since)))
}

inline late_grant(n, to, since) {
    heard_age[n] = LEAST(heard_age[n], since); current[to] = 1;
    lease[to] = MOST(lease[to], REST(LEAST(L, GRANTED_FOR(n) + since), SPENT(since)))
}

inline propose(n, v) {
    version[n]++; value[n] = v; committed[n] = 0
}

inline daemon_restarts(n) {
    crashes++; idle(n); current[n] = 0; newest[n] = known[n]; up_age[n] = 0;
    h_leader[n] = 0; h_age[n] = AT_START
}

inline time_of_node(n) {
    MORE(assured_age[n], OLD); MORE(up_age[n], DELAY);
    if
    :: phase[n] != IDLE -> MORE(led_age[n], OLD); MORE(heard_age[n], OLD)
    :: else
    fi;
    lease[n] = (lease[n] > 0 -> lease[n] - 1 : 0);
    RESET(n)
}

/* What may happen, for each node i, holder h and delay d. */
#define BEGIN(i) \
    :: d_step { ballots < BALLOTS -> begin_ballot(i) }
/* Another holder begins the ballot, then the own one. */
#define PROMISE(i, h) \
    :: d_step { phase[i] == PREPARING && promised[i] == NOT_YET && ballot[i] > h_mbal[h] && LETS_IN(h, i) -> \
        begun_at(i, h); promised[i] = h }
#define OWN_PROMISE(i) \
    :: d_step { promised[i] != NOT_YET && ballot[i] > h_mbal[i] && LETS_IN(i, i) -> begun_at(i, i); write_on(i) }
/* A change reaches one holder and no other yet, the own one first. */
#define WRITE(i, h) \
    :: d_step { phase[i] == WRITING && !committed[i] && NOT_BELOW(i, h) && LETS_IN(h, i) && \
        (h == i || OWN_HAS(i)) && !HAS(i, h) -> accept(i, h, 0) }
/* A write is acknowledged by a majority: by the own holder when it left, d ticks ago, and by another now. */
#define ACKNOWLEDGE(i, h, d) \
    :: d_step { phase[i] == WRITING && NOT_BELOW(i, h) && LETS_IN(h, i) && NOT_BELOW(i, i) && LETS_IN(i, i) && \
        (d == 0 || (d <= up_age[i] && OWN_HAS(i))) && (!committed[i] || PROBED(d) < assured_age[i]) -> \
        accept(i, i, d); accept(i, h, 0); assure(i, d) }
#define STOP(i) \
    :: d_step { LEADS(i) && committed[i] && version[i] < VERSIONS && IS_ON(value[i]) -> \
        propose(i, STOPPING(OWNER(value[i]), BOOT(value[i]))) }
/* Give the group to node j: it has stopped, its owner has booted again, or been silent for long enough. */
#define GIVE(i, j) \
    :: d_step { LEADS(i) && committed[i] && version[i] < VERSIONS && MAY_GIVE(i, j) -> propose(i, ON(j, boot[j])) }
/* A heartbeat that left d ticks ago is answered. */
#define GRANT(i, d) \
    :: d_step { LEADS(i) && d <= up_age[1-(i)] && !DEPOSED(i, 1-(i)) -> grant(i, 1-(i), d) }
/* An answer that was given d ticks ago arrives; nothing that the leader did since speaks against it. */
#define LATE_GRANT(i, d) \
    :: d_step { phase[i] == WRITING && elected[i] && assured_age[i] >= d && assured_age[i] < A + d && \
        d <= up_age[i] && d <= up_age[1-(i)] && OWNER(value[i]) == 1-(i) && !DEPOSED(i, 1-(i)) -> \
        late_grant(i, 1-(i), d) }
#define LEARN(j, v) \
    :: d_step { chosen[v] != UNSET && v > known[j] -> learn(j, v) }
#define START(j) \
    :: d_step { !runs[j] && lease[j] > 0 && CURRENT(j) && OWNS(j) && UP_TO_DATE(j) -> \
        runs[j] = 1; assert(!runs[1-(j)]) /* never active twice */ }
#define END(j) \
    :: d_step { runs[j] && !(IS_ON(known_value[j]) && OWNER(known_value[j]) == (j)) -> runs[j] = 0 }
#define DAEMON_FAILS(j) \
    :: d_step { crashes < CRASHES -> daemon_restarts(j) }
#define HOST_FAILS(j) \
    :: d_step { crashes < CRASHES -> daemon_restarts(j); runs[j] = 0; lease[j] = 0; boot[j] = 1 - boot[j] }

#define HAS(i, h) (h_bal[h] == ballot[i] && h_version[h] == version[i])
#define OWN_HAS(i) HAS(i, i)
#define REBOOTED(v) (boot[OWNER(v)] != BOOT(v))
#define MAY_GIVE(i, j) (REBOOTED(value[i]) || (OWNER(value[i]) != (j) && \
    (((j) == (i) && SILENT(i) && ALONE(i)) || (IS_STOPPING(value[i]) && STOPPED(i, 1-(j))))))

proctype World() {
end:
    do
    /* A tick; node 1's clock may miss it. */
    :: d_step {
        MORE(h_age[0], OLD); MORE(h_age[1], OLD); MORE(h_age[2], OLD); time_of_node(0); time_of_node(1) }
    :: d_step { !lost_tick -> lost_tick = 1; MORE(h_age[0], OLD); MORE(h_age[2], OLD); time_of_node(0) }
    BEGIN(0) BEGIN(1) PROMISE(0, 1) PROMISE(0, 2) PROMISE(1, 0) PROMISE(1, 2) OWN_PROMISE(0) OWN_PROMISE(1)
    WRITE(0, 0) WRITE(0, 1) WRITE(0, 2) WRITE(1, 0) WRITE(1, 1) WRITE(1, 2)
    ACKNOWLEDGE(0, 1, 0) ACKNOWLEDGE(0, 2, 0) ACKNOWLEDGE(1, 0, 0) ACKNOWLEDGE(1, 2, 0)
    ACKNOWLEDGE(0, 1, DELAY) ACKNOWLEDGE(0, 2, DELAY) ACKNOWLEDGE(1, 0, DELAY) ACKNOWLEDGE(1, 2, DELAY)
    STOP(0) STOP(1) GIVE(0, 0) GIVE(0, 1) GIVE(1, 0) GIVE(1, 1)
    GRANT(0, 0) GRANT(0, DELAY) GRANT(1, 0) GRANT(1, DELAY) LATE_GRANT(0, DELAY) LATE_GRANT(1, DELAY)
    LEARN(0, 1) LEARN(1, 1)
#if VERSIONS > 1
    LEARN(0, 2) LEARN(1, 2)
#endif
#if VERSIONS > 2
    LEARN(0, 3) LEARN(1, 3)
#endif
    START(0) START(1) END(0) END(1)
#if CRASHES
    DAEMON_FAILS(0) DAEMON_FAILS(1) HOST_FAILS(0) HOST_FAILS(1)
    :: d_step { crashes < CRASHES -> crashes++; h_leader[2] = 0; h_age[2] = AT_START }
#endif
    od
}

init {
    byte k, first;
    if
    :: first = ON(0, 0)
    :: first = ON(1, 0)
    fi;
    d_step {
        k = 0;
        do
        :: k <= VERSIONS -> chosen[k] = UNSET; k++
        :: else -> break
        od;
        /* Node 0 has just been acknowledged by all as the leader, under ballot 1. */
        idle(0); idle(1);
        ballots = 1; ballot[0] = 1; phase[0] = WRITING; elected[0] = 1; committed[0] = 1; assured_age[0] = 0;
        value[0] = first; chosen_value[0] = first; chosen[0] = first; known_value[0] = first; known_value[1] = first;
        up_age[0] = DELAY; up_age[1] = DELAY;
        k = 0;
        do
        :: k < 3 -> h_mbal[k] = 1; h_bal[k] = 1; h_value[k] = first; h_leader[k] = 1; k++
        :: else -> break
        od;
        k = 0; first = 0
    };
    run World()
}
