package io.daosmesh.management.pool;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.wire.ContainerHealthMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolTargetSpaceMessage;
import io.daosmesh.model.wire.RebuildStatusMessage;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetSpaceMessage;
import io.daosmesh.model.wire.TierSpaceMessage;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What {@code dmg pool query} shows, put together. Immutable. */
public record PoolReport(
        PoolEntryMessage entry,
        PoolMap map,
        int containers,
        int copies,
        List<ContainerHealthMessage> unhealthy,
        boolean isRebuildStopped) {
    /** More would only be counted. */
    private static final int UNHEALTHY_SHOWN_MAX = 100;

    private static final int UNREADABLE_SHOWN_MAX = 100;

    /** What a rank says of its targets. Immutable. */
    public record RankSpace(int rank, List<TargetSpaceMessage> targets) {
        public RankSpace {
            targets = List.copyOf(targets);
        }

        public Stream<PoolTargetSpaceMessage> toWire() {
            return targets.stream()
                    .map(t -> PoolTargetSpaceMessage.newBuilder()
                            .setRank(rank)
                            .setIndex(t.getIndex())
                            .setScmTotal(t.getScmTotal())
                            .setScmFree(t.getScmFree())
                            .setNvmeTotal(t.getNvmeTotal())
                            .setNvmeFree(t.getNvmeFree())
                            .build());
        }
    }

    public static PoolReport of(PoolDb db) {
        return new PoolReport(
                db.entry(),
                db.map(),
                db.containers().size(),
                db.copiesWanted(),
                ContainerHealth.unhealthy(db.containers(), db.map()),
                db.isRebuildStopped());
    }

    /** @param address of this node, which leads */
    public PoolQueryReply toWire(GroupMap members, String address, List<RankSpace> ranks, RebuildStatus status) {
        List<TargetSpaceMessage> space =
                ranks.stream().flatMap(r -> r.targets.stream()).toList();
        Set<Integer> dead = Departure.absent(map, members);
        int leader = members.members().stream()
                .filter(m -> m.address().equals(address))
                .mapToInt(Member::rank)
                .filter(r -> entry.getServiceRanksList().contains(r))
                .findFirst()
                .orElse(0);
        return PoolQueryReply.newBuilder()
                .setEntry(entry.toBuilder().setState(PoolEntryMessage.State.READY))
                .setMap(map.toWire())
                .setLeader(leader)
                .setRebuild(wire(isRebuildStopped ? stopped(status) : status))
                .addTiers(tier("scm", space, TargetSpaceMessage::getScmTotal, TargetSpaceMessage::getScmFree))
                .addTiers(tier("nvme", space, TargetSpaceMessage::getNvmeTotal, TargetSpaceMessage::getNvmeFree))
                .addAllDisabledRanks(map.disabledRanks())
                .addAllDeadRanks(dead)
                .setContainerCount(containers)
                .setCopiesWanted(copies)
                .addAllUnhealthyContainers(unhealthy.subList(0, Math.min(UNHEALTHY_SHOWN_MAX, unhealthy.size())))
                .setUnhealthyContainerCount(unhealthy.size())
                .setUnreadableRecords(space.stream()
                        .mapToLong(TargetSpaceMessage::getUnreadableRecords)
                        .sum())
                .addAllUnreadableObjects(space.stream()
                        .flatMap(t -> t.getUnreadableObjectsList().stream())
                        .limit(UNREADABLE_SHOWN_MAX)
                        .toList())
                .build();
    }

    /** What a rank says of the targets that the map counts on. */
    public static RankSpace enabled(PoolMap map, int rank, TargetQueryReply reply) {
        Set<Integer> indexes = map.ofRank(rank).stream()
                .filter(t -> !t.state().isDisabled())
                .map(t -> t.index())
                .collect(Collectors.toSet());
        return new RankSpace(
                rank,
                reply.getTargetsList().stream()
                        .filter(t -> indexes.contains(t.getIndex()))
                        .toList());
    }

    private static TierSpaceMessage tier(
            String media,
            List<TargetSpaceMessage> space,
            ToLongFunction<TargetSpaceMessage> total,
            ToLongFunction<TargetSpaceMessage> free) {
        LongSummaryStatistics f = space.stream().mapToLong(free).summaryStatistics();
        TierSpaceMessage.Builder b = TierSpaceMessage.newBuilder()
                .setMedia(media)
                .setTotal(space.stream().mapToLong(total).sum())
                .setFree(f.getSum());
        if (f.getCount() > 0) b.setMinFree(f.getMin()).setMaxFree(f.getMax()).setMeanFree((long) f.getAverage());
        return b.build();
    }

    /** Whoever leads now: a job that has been told to end may still be on its way out. */
    private RebuildStatus stopped(RebuildStatus s) {
        return new RebuildStatus(
                RebuildStatus.State.IDLE,
                -FaultCode.OP_CANCELED.number(),
                map.version(),
                s.operation(),
                s.objectsTotal(),
                s.objects(),
                s.records(),
                s.bytes(),
                0,
                s.startedHlc(),
                s.durationMs());
    }

    private static RebuildStatusMessage wire(RebuildStatus s) {
        return RebuildStatusMessage.newBuilder()
                .setState(s.state().toWire())
                .setStatus(s.status())
                .setVersion(s.mapVersion())
                .setObjectsTotal(s.objectsTotal())
                .setObjects(s.objects())
                .setRecords(s.records())
                .setBytes(s.bytes())
                .setObjectsBlocked(s.objectsBlocked())
                .setStartedHlc(s.startedHlc())
                .setDurationMs(s.durationMs())
                .setOperation(s.operation())
                .build();
    }
}
