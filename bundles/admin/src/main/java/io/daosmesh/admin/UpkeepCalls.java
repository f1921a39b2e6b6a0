package io.daosmesh.admin;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EngineStatusMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolUpgradeReply;
import io.daosmesh.model.wire.SystemEraseReply;
import io.daosmesh.model.wire.SystemEraseRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToIntFunction;

/**
 * Upkeep of pools, one by one or all of the system: rebuilds stopped and started, handles of a machine ended, layouts raised; and the
 * end of a system. One pool that refuses does not keep the others. Blocks the calling thread as {@link AdminCalls} does. Source: daos-admin facts 1.1, 2.2, 11.2.
 */
public final class UpkeepCalls {
    private static final Duration WIPED_MAX = Duration.ofSeconds(40);
    private static final Duration PAUSE = Duration.ofMillis(250);
    /** Of {@link EngineStatusMessage}. */
    private static final String UNFORMATTED = "AWAIT_FORMAT";

    private final AdminCalls calls;

    public UpkeepCalls(AdminCalls calls) {
        this.calls = calls;
    }

    /**
     * What became of one pool. Immutable.
     *
     * @param pool label, or UUID where it has none
     * @param count what was done to it, 0 = there was nothing to do
     * @param error why it was not done
     */
    public record OfPool(String pool, int count, Optional<Fault> error) {}

    /**
     * NONEXIST when there is no rebuild to stop, BUSY when its end is being committed.
     *
     * @param force stop it in spite of that
     */
    public void rebuild(String pool, PoolRebuildRequest.Op op, boolean force) {
        PoolFindReply found = calls.poolFind(pool);
        PoolRebuildRequest request = PoolRebuildRequest.newBuilder()
                .setPool(AdminCalls.uuid(found))
                .setOp(op)
                .setForce(force)
                .setRequestId(AdminCalls.newRequestId())
                .build();
        calls.atPool(found, RpcMethod.POOL_REBUILD, request, Empty::parseFrom, false);
    }

    /** The same in every pool. A pool without a rebuild has count 0, one whose rebuild is just ending counts. */
    public List<OfPool> rebuildAll(PoolRebuildRequest.Op op, boolean force) {
        return each(pool -> {
            try {
                rebuild(pool, op, force);
                return 1;
            } catch (FaultException e) {
                if (op == PoolRebuildRequest.Op.STOP && e.code() == FaultCode.NONEXIST) return 0;
                if (op == PoolRebuildRequest.Op.STOP && e.code() == FaultCode.BUSY) return 1;
                throw e;
            }
        });
    }

    /** Ends the handles of a machine in every pool; count: how many. TIMEDOUT names ranks that have not confirmed it. */
    public List<OfPool> cleanup(String machine) {
        return each(pool -> {
            PoolFindReply found = calls.poolFind(pool);
            PoolEvictRequest request = PoolEvictRequest.newBuilder()
                    .setPool(AdminCalls.uuid(found))
                    .setMachine(machine)
                    .setRequestId(AdminCalls.newRequestId())
                    .build();
            PoolEvictReply reply = calls.atPool(found, RpcMethod.POOL_EVICT, request, PoolEvictReply::parseFrom, false);
            if (reply.getUnconfirmedRanksCount() == 0) return reply.getCount();
            throw Fault.of(
                            FaultCode.TIMEDOUT,
                            "%d handles have ended, but ranks %s have not confirmed that they let nobody in with them",
                            reply.getCount(),
                            reply.getUnconfirmedRanksList())
                    .remedy("run the command again, or see dmg system query for these ranks")
                    .asException();
        });
    }

    /** DF_INCOMPT for a pool that a newer release has written. */
    public PoolUpgradeReply upgrade(String pool) {
        PoolFindReply found = calls.poolFind(pool);
        PoolRef request = PoolRef.newBuilder().setPool(AdminCalls.uuid(found)).build();
        return calls.atPool(found, RpcMethod.POOL_UPGRADE, request, PoolUpgradeReply::parseFrom, false);
    }

    /** Dead ranks that nobody was to exclude before, and pools, are looked at again as self_heal says now. */
    public void evaluateSelfHeal() {
        calls.atLeader(RpcMethod.SELF_HEAL_EVAL, Empty.getDefaultInstance(), Empty::parseFrom, false);
    }

    /** Every engine of these hosts awaits its format: there is no system on them. */
    public boolean isUnformatted(List<String> hosts) {
        HostReplies<NodeStatusReply> all = calls.nodeStatus(hosts);
        return all.errors().isEmpty()
                && all.replies().values().stream()
                        .flatMap(s -> s.getEnginesList().stream())
                        .allMatch(e -> e.getStorageState().equals(UNFORMATTED));
    }

    /**
     * Ends the system that these hosts are, so that their storage can be formatted: nothing of it may be left that names its ranks
     * and pools. False if they hold no rank of a system. INVAL when they are a part of one only.
     */
    public boolean eraseSystemOf(List<String> hosts) {
        HostReplies<NodeStatusReply> asked = calls.nodeStatus(hosts);
        Set<String> nodes = new TreeSet<>();
        asked.replies().values().forEach(s -> nodes.add(s.getHost()));
        if (nodes.isEmpty() || asked.errors().isEmpty() && isUnformatted(hosts)) return false;
        List<MemberMessage> members = calls.systemQuery(List.of()).getGroupMap().getMembersList();
        if (members.stream().noneMatch(m -> nodes.contains(m.getAddress()))) return false;
        List<String> elsewhere = members.stream()
                .map(MemberMessage::getAddress)
                .filter(a -> !nodes.contains(a))
                .distinct()
                .sorted()
                .toList();
        if (!elsewhere.isEmpty())
            throw Fault.of(
                            FaultCode.INVAL,
                            "the system has ranks on hosts that are not named, or do not answer: %s",
                            elsewhere)
                    .remedy("leave out -l to wipe the whole system; a host that has lost its storage: --replace")
                    .asException();
        erase();
        return true;
    }

    /** Ends the system: returns when every node that has taken part awaits its format; TIMEDOUT names those that do not yet. */
    public SystemEraseReply erase() {
        SystemEraseRequest request = SystemEraseRequest.newBuilder()
                .setRequestId(AdminCalls.newRequestId())
                .build();
        SystemEraseReply reply = calls.atLeader(RpcMethod.SYSTEM_ERASE, request, SystemEraseReply::parseFrom, false);
        List<String> left = new ArrayList<>(reply.getNodesList());
        long endNs = System.nanoTime() + WIPED_MAX.toNanos();
        while (true) {
            left.removeIf(host -> isUnformatted(List.of(host)));
            if (left.isEmpty()) return reply;
            if (System.nanoTime() - endNs > 0)
                throw Fault.of(FaultCode.TIMEDOUT, "nodes %s are not wiped yet", left)
                        .remedy("they finish by themselves, at the latest with their next start; see their logs")
                        .asException();
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED, "interrupted").asException();
        }
    }

    /** By UUID, as labels may be the same as before for another pool; pools that come or go meanwhile are left out. */
    private List<OfPool> each(ToIntFunction<String> work) {
        List<OfPool> results = new ArrayList<>();
        for (PoolEntryMessage entry : calls.poolList().getPoolsList()) {
            if (entry.getState() != PoolEntryMessage.State.READY) continue;
            String uuid = Ids.uuid(entry.getPool()).toString();
            String name = entry.getLabel().isEmpty() ? uuid : entry.getLabel();
            try {
                results.add(new OfPool(name, work.applyAsInt(uuid), Optional.empty()));
            } catch (FaultException e) {
                results.add(new OfPool(name, 0, Optional.of(e.fault())));
            }
        }
        return results;
    }
}
