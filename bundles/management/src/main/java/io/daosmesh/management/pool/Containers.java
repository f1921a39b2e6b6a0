package io.daosmesh.management.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.management.properties.ContainerProperties;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Guarded;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.PoolContainerMessage;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** The containers of a pool with their object-id counters. Owner: its {@link PoolDb}. */
public final class Containers {
    static final int CONTAINERS_MAX = 4096;
    /**
     * Destroyed ones that some rank may still hold. Deletes always work: beyond that the oldest is forgotten, whose space on
     * a rank that is away comes back only with the pool's end.
     */
    static final int DOOMED_MAX = 2048;

    static final int OID_RANGE_MAX = 1 << 20;
    /** A long list for every 16th container. */
    static final long ACLS_MAX_BYTES = 16L << 20;

    /** Each server is told of each: 40 bytes. */
    static final int UNSCRUBBED_MAX = 1000;

    private final Map<UUID, PoolContainerMessage> all = new LinkedHashMap<>();

    List<ContainerMessage> live() {
        return all.values().stream()
                .filter(c -> !c.getDoomed())
                .map(PoolContainerMessage::getContainer)
                .toList();
    }

    /** Those whose values nobody shall look through. */
    List<UUID> unscrubbed() {
        return all.entrySet().stream()
                .filter(e ->
                        !e.getValue().getDoomed() && isUnscrubbed(e.getValue().getContainer()))
                .map(Map.Entry::getKey)
                .toList();
    }

    private static boolean isUnscrubbed(ContainerMessage c) {
        return ContainerProperties.isUnscrubbed(c.getPropertiesMap());
    }

    private void checkUnscrubbed(ContainerMessage next) {
        if (!isUnscrubbed(next) || unscrubbed().size() < UNSCRUBBED_MAX) return;
        throw Fault.of(FaultCode.OVERFLOW, "%d containers of the pool have scrubber:off already", UNSCRUBBED_MAX)
                .remedy("set scrub:off in the pool, or scrubber:on in some containers")
                .asException();
    }

    /** Destroyed, but some target may still hold data of it. */
    List<UUID> doomed() {
        return all.entrySet().stream()
                .filter(e -> e.getValue().getDoomed())
                .map(Map.Entry::getKey)
                .toList();
    }

    Optional<ContainerMessage> find(String idOrLabel) {
        return live().stream()
                .filter(c -> c.getLabel().equals(idOrLabel)
                        || Ids.uuid(c.getUuid()).toString().equals(idOrLabel))
                .findFirst();
    }

    /** @param mapVersion of the pool: earlier failures have cost it nothing */
    ContainerMessage create(ContainerMessage c, long hlc, int mapVersion) {
        return create(c, Optional.empty(), hlc, mapVersion);
    }

    /** @param acl absent: the default list */
    ContainerMessage create(ContainerMessage c, Optional<AclMessage> acl, long hlc, int mapVersion) {
        UUID id = Ids.uuid(c.getUuid());
        if (all.containsKey(id)) {
            // Under the same identity, old data of a rank that was away would be seen again.
            String state = all.get(id).getDoomed() ? "was destroyed and is still being cleared away" : "already exists";
            throw Fault.of(FaultCode.EXIST, "container %s %s", id, state).asException();
        }
        if (!c.getLabel().isEmpty() && find(c.getLabel()).isPresent()) {
            throw Fault.of(FaultCode.EXIST, "container '%s' already exists", c.getLabel())
                    .asException();
        }
        if (live().size() >= CONTAINERS_MAX) {
            throw Fault.of(FaultCode.OVERFLOW, "the pool has %d containers, the most it can have", CONTAINERS_MAX)
                    .asException();
        }
        checkUnscrubbed(c);
        ContainerMessage made =
                c.toBuilder().setCreatedHlc(hlc).setAcceptedVersion(mapVersion).build();
        PoolContainerMessage.Builder kept =
                PoolContainerMessage.newBuilder().setContainer(made).setNextOid(1);
        acl.ifPresent(a -> checkRoom(a, id));
        acl.ifPresent(kept::setAcl);
        all.put(id, kept.build());
        return made;
    }

    /** Who owns it and may do what; the pool's owner where older state names none. */
    Guarded guarded(ByteString uuid, Guarded pool) {
        PoolContainerMessage c = existing(Ids.uuid(uuid));
        String owner = c.getContainer().getOwner();
        String group = c.getContainer().getGroup();
        return new Guarded(
                Guarded.Kind.CONTAINER,
                owner.isEmpty() ? pool.owner() : owner,
                group.isEmpty() ? pool.group() : group,
                c.hasAcl() ? Acl.of(c.getAcl().getEntriesList()) : Guarded.Kind.CONTAINER.defaultAcl());
    }

    void setGuarded(ByteString uuid, Guarded next) {
        UUID id = Ids.uuid(uuid);
        PoolContainerMessage c = existing(id);
        AclMessage acl =
                AclMessage.newBuilder().addAllEntries(next.acl().lines()).build();
        checkRoom(acl, id);
        all.put(
                id,
                c.toBuilder()
                        .setAcl(acl)
                        .setContainer(c.getContainer().toBuilder()
                                .setOwner(next.owner())
                                .setGroup(next.group()))
                        .build());
    }

    /** All lists of a pool together are bounded: each replica holds them in memory. */
    private void checkRoom(AclMessage acl, UUID of) {
        long others = all.entrySet().stream()
                .filter(e -> !e.getKey().equals(of))
                .mapToLong(e -> e.getValue().getAcl().getSerializedSize())
                .sum();
        if (others + acl.getSerializedSize() > ACLS_MAX_BYTES) {
            throw Fault.of(
                            FaultCode.OVERFLOW,
                            "the access control lists of the pool are larger than %d bytes",
                            ACLS_MAX_BYTES)
                    .remedy("name groups rather than users")
                    .asException();
        }
    }

    /** @param holders ranks that may hold data of it, those that are away included */
    void doom(ByteString uuid, Set<Integer> holders) {
        UUID id = Ids.uuid(uuid);
        PoolContainerMessage doomed = existing(id).toBuilder()
                .setDoomed(true)
                .clearHeldBy()
                .addAllHeldBy(holders)
                .build();
        List<UUID> older = doomed();
        if (older.size() >= DOOMED_MAX) all.remove(older.get(0));
        // At the end, so that the order is that of the destroys.
        all.remove(id);
        all.put(id, doomed);
    }

    /** Ranks of a destroyed container that have not dropped it yet. */
    Set<Integer> heldBy(UUID container) {
        PoolContainerMessage c = all.get(container);
        return c == null ? new TreeSet<>() : new TreeSet<>(c.getHeldByList());
    }

    /** The last rank to drop a container ends it. */
    void dropped(ByteString uuid, Collection<Integer> ranks) {
        UUID id = Ids.uuid(uuid);
        PoolContainerMessage c = all.get(id);
        if (c == null || !c.getDoomed()) return;
        Set<Integer> left = heldBy(id);
        left.removeAll(ranks);
        if (left.isEmpty()) all.remove(id);
        else all.put(id, c.toBuilder().clearHeldBy().addAllHeldBy(left).build());
    }

    /** Under a new map of the pool. */
    void review(PoolMap map) {
        all.replaceAll((id, c) -> c.getDoomed()
                ? c
                : c.toBuilder()
                        .setContainer(ContainerHealth.review(c.getContainer(), map))
                        .build());
    }

    ContainerMessage setProperties(String idOrLabel, Map<String, String> set, PoolMap map) {
        ContainerMessage now = find(idOrLabel)
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "container '%s' does not exist", idOrLabel)
                        .asException());
        ContainerMessage next = ContainerHealth.withProperties(now, set, map);
        if (!isUnscrubbed(now)) checkUnscrubbed(next);
        all.computeIfPresent(
                Ids.uuid(now.getUuid()),
                (id, c) -> c.toBuilder().setContainer(next).build());
        return next;
    }

    /** The one that fewest failed domains hurt first. */
    Optional<ContainerMessage> weakest() {
        return live().stream().min(java.util.Comparator.comparingInt(ContainerMessage::getRdFac));
    }

    void forget(ByteString uuid) {
        all.remove(Ids.uuid(uuid));
    }

    /** First of {@code count} object ids that nobody gets again. */
    long take(ByteString uuid, int count) {
        checkRange(count);
        UUID id = Ids.uuid(uuid);
        PoolContainerMessage c = existing(id);
        all.put(id, c.toBuilder().setNextOid(c.getNextOid() + count).build());
        return c.getNextOid();
    }

    public static void checkRange(int count) {
        if (count < 1 || count > OID_RANGE_MAX) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "an object-id range has 1 to %d ids, not %s",
                            OID_RANGE_MAX,
                            Integer.toUnsignedString(count))
                    .asException();
        }
    }

    private PoolContainerMessage existing(UUID id) {
        PoolContainerMessage c = all.get(id);
        if (c == null || c.getDoomed()) {
            throw Fault.of(FaultCode.NONEXIST, "container %s does not exist", id)
                    .asException();
        }
        return c;
    }

    /** As written out. */
    long bytes() {
        return all.values().stream()
                .mapToLong(PoolContainerMessage::getSerializedSize)
                .sum();
    }

    Iterable<PoolContainerMessage> save() {
        return all.values();
    }

    void load(List<PoolContainerMessage> saved) {
        all.clear();
        saved.forEach(c -> all.put(Ids.uuid(c.getContainer().getUuid()), c));
    }
}
