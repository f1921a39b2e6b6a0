package io.daosmesh.management.system;

import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.PoolGuards;
import io.daosmesh.management.properties.PoolProperties;
import io.daosmesh.management.properties.SystemProperties;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolServiceStartRequest;
import io.daosmesh.model.wire.TargetCreateRequest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * What a pool-create request comes to: ranks, sizes, service replicas, first map. Immutable; made by a pure check of the
 * request against the members, with the refusals of daos-admin facts 1.2 and 7.2.
 */
public record PoolPlan(PoolEntryMessage entry, PoolMap map, List<Member> members, List<Member> service) {
    /** Smallest share of a target for the emulated classes (contract, section 6). */
    static final long SCM_MIN_BYTES = 4L << 20;

    static final long NVME_MIN_BYTES = 16L << 20;

    /** Of one target; the sum over all targets of a system still is a number of 63 bits. */
    private static final long SHARE_MAX_BYTES = 1L << 44;

    /** Device blocks are 4 KiB. */
    private static final long ALIGN_BYTES = 4096;

    /** In a system that has set nothing for all pools. */
    public static PoolPlan of(PoolCreateRequest r, GroupMap group, UUID pool) {
        return of(r, group, pool, Map.of());
    }

    /**
     * @param pool identity to use when the request names none
     * @param system properties of the system: what is set for all pools holds where the request says nothing
     */
    public static PoolPlan of(PoolCreateRequest r, GroupMap group, UUID pool, Map<String, String> system) {
        if (r.getLabel().isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "pool label is missing")
                    .with("fault", 615)
                    .asException();
        }
        PoolProperties.check(r.getPropertiesMap());
        if (!r.getPropertiesOrDefault("label", r.getLabel()).equals(r.getLabel()))
            throw Fault.of(FaultCode.INVAL, "label and property \"label\" differ")
                    .asException();
        List<Member> chosen = ranks(r, group);
        int targets = chosen.stream().mapToInt(Member::targetCount).sum();
        long scm = share(r.getScmBytesPerTarget(), r.getScmBytesTotal(), targets);
        long nvme = share(r.getNvmeBytesPerTarget(), r.getNvmeBytesTotal(), targets);
        if (scm < SCM_MIN_BYTES) {
            throw tooSmall("SCM", scm, SCM_MIN_BYTES, targets)
                    .with("fault", 604)
                    .asException();
        }
        if (nvme != 0 && nvme < NVME_MIN_BYTES) {
            throw tooSmall("NVMe", nvme, NVME_MIN_BYTES, targets)
                    .with("fault", 605)
                    .asException();
        }
        int nodes = (int) chosen.stream().map(Member::address).distinct().count();
        int wanted = PoolProperties.serviceReplicas(r.getPropertiesMap(), r.getServiceReplicas());
        int possible = Math.min(wanted, nodes);
        List<Member> service = spread(chosen, possible % 2 == 0 ? possible - 1 : possible, true);
        PoolEntryMessage.Builder entry = PoolEntryMessage.newBuilder()
                .setLayout(PoolDb.LAYOUT)
                .setPool(r.getPool().isEmpty() ? Ids.bytes(pool) : r.getPool())
                .setLabel(r.getLabel())
                .addAllRanks(chosen.stream().map(Member::rank).toList())
                .addAllServiceRanks(service.stream().map(Member::rank).toList())
                .setServiceReplicas(wanted)
                .setScmBytesPerTarget(scm)
                .setNvmeBytesPerTarget(nvme)
                .putAllProperties(SystemProperties.ofPools(system))
                .putAllProperties(PoolProperties.kept(r.getPropertiesMap()))
                .putAllFollowed(SystemProperties.ofPools(system))
                .setRequestId(r.getRequestId());
        PoolEntryMessage owned = PoolGuards.write(entry, PoolGuards.wanted(r)).build();
        return new PoolPlan(owned, firstMap(Ids.uuid(owned.getPool()), chosen), chosen, service);
    }

    /**
     * Targets whose device does not serve are out of the pool from its beginning, and come with their device: version 2 of the map,
     * since the ranks have made the first one with all. NVME_IO when no target is left.
     *
     * @param out indexes by rank
     */
    public PoolPlan without(Map<Integer, ? extends Collection<Integer>> out) {
        if (out.isEmpty()) return this;
        int version = map.version() + 1;
        List<PoolTarget> all = new ArrayList<>();
        for (PoolTarget t : map.targets()) {
            boolean isOut = out.containsKey(t.rank()) && out.get(t.rank()).contains(t.index());
            Outage outage = new Outage(version, 0, Outage.Cause.DEVICE);
            all.add(
                    isOut
                            ? new PoolTarget(
                                    t.id(),
                                    t.rank(),
                                    t.index(),
                                    t.faultDomain(),
                                    TargetState.DOWNOUT,
                                    false,
                                    version,
                                    outage)
                            : t);
        }
        if (all.stream().allMatch(t -> t.state().isDisabled()))
            throw Fault.of(FaultCode.NVME_IO, "no device of ranks %s serves", entry.getRanksList())
                    .remedy("see dmg storage query list-devices; replace devices that are EVICTED")
                    .asException();
        return new PoolPlan(entry, new PoolMap(map.pool(), version, all), members, service);
    }

    public UUID pool() {
        return map.pool();
    }

    /** What its service begins with. */
    public LogCommand first() {
        return LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(entry).setMap(map.toWire()))
                .build();
    }

    /** What each rank is asked for. */
    public TargetCreateRequest targets() {
        return TargetCreateRequest.newBuilder()
                .setPool(entry.getPool())
                .setScmBytesPerTarget(entry.getScmBytesPerTarget())
                .setNvmeBytesPerTarget(entry.getNvmeBytesPerTarget())
                .setMap(map.toWire())
                .putAllProperties(entry.getPropertiesMap())
                .build();
    }

    /** Addresses of the service's replicas. */
    public List<String> peers() {
        return service.stream().map(Member::address).toList();
    }

    /** What each replica is asked for. */
    public PoolServiceStartRequest start() {
        return PoolServiceStartRequest.newBuilder()
                .setPool(entry.getPool())
                .addAllPeers(peers())
                .setEntry(entry)
                .setMap(map.toWire())
                .build();
    }

    /** The replica there, or the first when the leader is another one by now. */
    public int serviceRank(Optional<String> leader) {
        return service.stream()
                .filter(m -> leader.filter(m.address()::equals).isPresent())
                .mapToInt(Member::rank)
                .findFirst()
                .orElse(service.get(0).rank());
    }

    public PoolCreateReply reply(int leaderRank) {
        long perRank = members.get(0).targetCount();
        return PoolCreateReply.newBuilder()
                .setPool(entry.getPool())
                .addAllRanks(entry.getRanksList())
                .addAllServiceRanks(entry.getServiceRanksList())
                .setServiceLeader(leaderRank)
                .setScmBytesPerRank(entry.getScmBytesPerTarget() * perRank)
                .setNvmeBytesPerRank(entry.getNvmeBytesPerTarget() * perRank)
                .build();
    }

    private static long share(long perTarget, long total, int targets) {
        long bytes = perTarget != 0 ? perTarget : total / targets;
        // the wire's numbers go further than any device
        if (perTarget < 0 || total < 0 || bytes > SHARE_MAX_BYTES) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "%s bytes are too much: a target has at most %d",
                            Long.toUnsignedString(perTarget != 0 ? perTarget : total),
                            SHARE_MAX_BYTES)
                    .asException();
        }
        return bytes / ALIGN_BYTES * ALIGN_BYTES;
    }

    private static Fault tooSmall(String tier, long bytes, long min, int targets) {
        return Fault.of(
                        FaultCode.INVAL,
                        "requested %s capacity is too small: %d bytes for each of %d targets, at least %d are needed",
                        tier,
                        bytes,
                        targets,
                        min)
                .remedy(String.format(
                        Locale.ROOT,
                        "retry the request with a %s capacity of at least %d bytes in all",
                        tier,
                        min * targets));
    }

    private static List<Member> ranks(PoolCreateRequest r, GroupMap group) {
        List<Member> ready = group.members().stream()
                .filter(m -> m.state() == MemberState.JOINED || m.state() == MemberState.READY)
                .toList();
        if (r.getRanksCount() > 0) {
            Set<Integer> wanted = new TreeSet<>(r.getRanksList());
            List<Member> chosen =
                    ready.stream().filter(m -> wanted.contains(m.rank())).toList();
            if (chosen.size() == wanted.size()) return chosen;
            chosen.forEach(m -> wanted.remove(m.rank()));
            throw Fault.of(FaultCode.INVAL, "pool request contains invalid ranks: %s", wanted)
                    .with("fault", 606)
                    .remedy("retry with ranks that dmg system query shows as Joined")
                    .asException();
        }
        int count = r.getRankCount() == 0 ? ready.size() : r.getRankCount();
        if (count < 0 || count > ready.size() || ready.isEmpty()) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "pool request wants %s ranks, but only %d are available",
                            Integer.toUnsignedString(r.getRankCount()),
                            ready.size())
                    .with("fault", 607)
                    .remedy("wait until enough ranks are Joined, or ask for fewer")
                    .asException();
        }
        return spread(ready, count, false);
    }

    /** {@code count} members over as many fault domains (and, if asked, nodes) as there are; ordered by rank. */
    private static List<Member> spread(List<Member> from, int count, boolean oneEachNode) {
        Map<String, Integer> used = new HashMap<>();
        Set<String> nodes = new HashSet<>();
        List<Member> left = new ArrayList<>(from);
        List<Member> chosen = new ArrayList<>();
        while (chosen.size() < count) {
            Member next = left.stream()
                    .filter(m -> !oneEachNode || !nodes.contains(m.address()))
                    .min(Comparator.comparingInt((Member m) -> used.getOrDefault(m.faultDomain(), 0))
                            .thenComparingInt(Member::rank))
                    .orElseThrow();
            left.remove(next);
            chosen.add(next);
            nodes.add(next.address());
            used.merge(next.faultDomain(), 1, Integer::sum);
        }
        chosen.sort(Comparator.comparingInt(Member::rank));
        return chosen;
    }

    private static PoolMap firstMap(UUID pool, List<Member> members) {
        List<PoolTarget> targets = new ArrayList<>();
        for (Member m : members) {
            for (int i = 0; i < m.targetCount(); i++) {
                targets.add(new PoolTarget(targets.size(), m.rank(), i, m.faultDomain(), TargetState.UPIN, false, 1));
            }
        }
        return new PoolMap(pool, 1, targets);
    }
}
