package io.daosmesh.management.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.TargetDestroyRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * More ranks for a pool: each gets as much of it as those that are there have. First the ranks make their space, then the map
 * counts them in: a space that no map counts in holds nothing, so that whoever comes later can use or remove it. Immutable.
 *
 * @param members the new ranks, by number
 * @param map of before
 */
public record Extension(PoolEntryMessage entry, PoolMap map, List<Member> members) {
    /** Checks the request; INVAL, NONEXIST or ALREADY in the words of the administrator who has sent it. */
    public static Extension of(PoolTargetsRequest r, PoolEntryMessage entry, PoolMap map, GroupMap group) {
        if (r.getRanksCount() == 0) throw wrong("no ranks given to extend");
        if (r.getTargetIndexesCount() > 0) throw wrong("a pool is extended by whole ranks, not by single targets");
        Set<Integer> ranks = new HashSet<>();
        for (int rank : r.getRanksList()) if (!ranks.add(rank)) throw wrong("rank %d is given twice", rank);
        List<Member> members = new ArrayList<>();
        for (int rank : new TreeSet<>(ranks)) {
            checkOutside(map, rank);
            members.add(joined(group, rank));
        }
        return new Extension(entry, map, List.copyOf(members));
    }

    private static FaultException wrong(String text, Object... arguments) {
        return Fault.of(FaultCode.INVAL, text, arguments)
                .remedy("name each new rank once, as dmg system query shows it")
                .asException();
    }

    /** A rank has one part of a pool only. */
    static void checkOutside(PoolMap map, int rank) {
        if (map.ofRank(rank).isEmpty()) return;
        boolean isOut = map.disabledRanks().contains(rank);
        throw Fault.of(FaultCode.ALREADY, "rank %d is in the pool%s", rank, isOut ? ", but excluded" : " already")
                .remedy(
                        isOut
                                ? "bring it back with dmg pool reintegrate"
                                : "see dmg pool query --show-enabled for the ranks of the pool")
                .asException();
    }

    private static Member joined(GroupMap group, int rank) {
        Member m = group.member(rank)
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "rank %d is not in the system", rank)
                        .remedy("see dmg system query for the ranks there are")
                        .asException());
        if (m.state() == MemberState.JOINED) return m;
        throw Fault.of(
                        FaultCode.INVAL,
                        "the pool cannot be extended by rank %d: it is %s",
                        rank,
                        m.state().label())
                .remedy("start its node and wait until dmg system query shows it as Joined")
                .asException();
    }

    /** What a new replica of the service begins with then. */
    public LogCommand first() {
        return LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder()
                        .setEntry(entry)
                        .setMap(map.extended(added()).toWire()))
                .build();
    }

    private List<PoolTargetMessage> added() {
        List<PoolTargetMessage> added = new ArrayList<>();
        for (Member m : members)
            for (int i = 0; i < m.targetCount(); i++)
                added.add(PoolTargetMessage.newBuilder()
                        .setRank(m.rank())
                        .setIndex(i)
                        .setFaultDomain(m.faultDomain())
                        .build());
        return added;
    }

    /** What each of the ranks is asked for. */
    public TargetCreateRequest create(long term) {
        return TargetCreateRequest.newBuilder()
                .setPool(entry.getPool())
                .setScmBytesPerTarget(entry.getScmBytesPerTarget())
                .setNvmeBytesPerTarget(entry.getNvmeBytesPerTarget())
                .setMap(map.toWire())
                .putAllProperties(entry.getPropertiesMap())
                .setTerm(term)
                .build();
    }

    /** What undoes it, where nobody else has gone on since. */
    public TargetDestroyRequest remove(long term) {
        return TargetDestroyRequest.newBuilder()
                .setPool(entry.getPool())
                .setTerm(term)
                .build();
    }

    public TargetsChangeMessage change(int groupVersion) {
        return TargetsChangeMessage.newBuilder()
                .setOp(PoolTargetsRequest.Op.EXTEND)
                .addAllRanks(members.stream().map(Member::rank).toList())
                .addAllAdded(added())
                .setGroupVersion(groupVersion)
                .build();
    }

    /** The map with the new targets, as the log asks for it. */
    static PoolMap apply(PoolMap map, TargetsChangeMessage m) {
        if (m.getAddedCount() == 0) throw wrong("no targets given to extend");
        m.getAddedList().forEach(t -> checkOutside(map, t.getRank()));
        return map.extended(m.getAddedList());
    }
}
