"""The decisions, pure: no clock, socket, file, process, thread, random or logging in here.

Each rule of docs/architecture.md (Safety) is kept by one function, called at one place through its module:

rule  what it keeps                                              function
   1  a new ledger carries on from the newest that may be chosen  paxos.newest
   1  a change of voters is agreed to by both sets                voters.in_force
   1  a candidate needs the sets of the newest ledger it finds    paxos.required
   1  another life of a holder is another holder                  voters.counts
   1  a holder keeps for a writer what that has forgotten         paxos.merged
   1  a host put back from a backup has no voice                  join.is_restored
   2  a holder refuses other ballots while it has promised        authority.refuses_for
   2  on a passive disk, a challenger watches the counter         authority.disk_refuses_for
   3  a lease counts from the send time, less the guard           lease.until
   4  what is active here is under a deadline                     lease.deadline
   5  a node is silent on all links for L before its groups move  takeover.objection
   5  where it is required, its boot is over by a device's word    fencing.objection
   5  the proof of one boot speaks for no other                    proofs.key
   5  what only disks keep from writing gets no lease any more     proofs.leasable
   5  a device that calls a living node off is not believed        fencing.refute
   5  an operator's word is not taken for a node that is alive     fence_requests.alive
   6  an orderly start follows a confirmed stop                   moves.confirmed
   7  no start without a permit                                   permits.objection
   8  what runs already is adopted                                agent.adopted_state
   9  the targets speak for a node that is silent, not before     arbiter.entitled
   9  their answer is as old as the pings                         arbiter.counts_from
   9  what was chosen alone says so                               arbiter.may_choose
   9  a ledger carried on alone is a new one                      arbiter.marked
   9  two nodes that both went on alone are found out             double.forked
   9  one of the two gives way                                    double.gives_way
   9  what had two owners is stopped on both                      double.owners
   9  what the other may still have waits                         double.held
  10  a stop that fails blocks, or fences its owner               moves.fences
  11  a deposed node comes back clean or not at all               join.unclean
  12  a wall clock that jumps is a pause, until a new grant         jumps.ahead
  13  not again where it failed                                   recovery.objection
"""
