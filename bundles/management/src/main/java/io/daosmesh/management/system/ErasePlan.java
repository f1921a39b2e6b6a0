package io.daosmesh.management.system;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.EraseNodeRequest;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** What an erasure of the system is about: its engines, and the nodes that have to take part. Pure. */
public final class ErasePlan {
    private static final Set<MemberState> RUNNING =
            EnumSet.of(MemberState.JOINED, MemberState.READY, MemberState.STARTING, MemberState.STOPPING);
    private static final Set<MemberState> OUT = EnumSet.of(MemberState.EXCLUDED, MemberState.ADMIN_EXCLUDED);

    private ErasePlan() {}

    /**
     * OP_CANCELED while ranks run: a code that nobody tries again by himself. A node whose ranks are all excluded need not answer, unless it keeps the system's database: its engines
     * are unknown to any new system, which refuses them.
     */
    public static EraseNodeRequest of(GroupMap map, Collection<String> replicas, UUID id) {
        List<Integer> running = map.members().stream()
                .filter(m -> RUNNING.contains(m.state()))
                .map(Member::rank)
                .toList();
        if (!running.isEmpty())
            throw Fault.of(FaultCode.OP_CANCELED, "the system is running: ranks %s are not stopped", running)
                    .remedy("run dmg system stop first, if need be with --force")
                    .asException();
        TreeSet<String> nodes = new TreeSet<>(replicas);
        TreeSet<String> absentees = new TreeSet<>();
        EraseNodeRequest.Builder plan = EraseNodeRequest.newBuilder().setId(Ids.bytes(id));
        for (Member m : map.members()) {
            plan.addEngines(Ids.bytes(m.uuid()));
            if (OUT.contains(m.state())) absentees.add(m.address());
            else nodes.add(m.address());
        }
        absentees.removeAll(nodes);
        return plan.addAllNodes(nodes).addAllAbsentees(absentees).build();
    }

    /** The engine is one of those that are erased. */
    public static boolean names(EraseNodeRequest plan, UUID engine) {
        return plan.getEnginesList().contains(Ids.bytes(engine));
    }
}
