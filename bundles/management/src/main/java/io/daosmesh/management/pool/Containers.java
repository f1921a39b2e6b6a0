package io.daosmesh.management.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.PoolContainerMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The containers of a pool with their object-id counters. Owner: its {@link PoolDb}. */
final class Containers {
    static final int CONTAINERS_MAX = 4096;
    static final int OID_RANGE_MAX = 1 << 20;

    private final Map<UUID, PoolContainerMessage> all = new LinkedHashMap<>();

    List<ContainerMessage> live() {
        return all.values().stream()
                .filter(c -> !c.getDoomed())
                .map(PoolContainerMessage::getContainer)
                .toList();
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

    ContainerMessage create(ContainerMessage c, long hlc) {
        UUID id = Ids.uuid(c.getUuid());
        if (all.containsKey(id)) {
            throw Fault.of(FaultCode.EXIST, "container %s already exists", id).asException();
        }
        if (!c.getLabel().isEmpty() && find(c.getLabel()).isPresent()) {
            throw Fault.of(FaultCode.EXIST, "container '%s' already exists", c.getLabel())
                    .asException();
        }
        if (all.size() >= CONTAINERS_MAX) {
            throw Fault.of(FaultCode.OVERFLOW, "the pool has %d containers, the most it can have", CONTAINERS_MAX)
                    .asException();
        }
        ContainerMessage made = c.toBuilder().setCreatedHlc(hlc).build();
        all.put(
                id,
                PoolContainerMessage.newBuilder()
                        .setContainer(made)
                        .setNextOid(1)
                        .build());
        return made;
    }

    void doom(ByteString uuid) {
        UUID id = Ids.uuid(uuid);
        all.put(id, existing(id).toBuilder().setDoomed(true).build());
    }

    void forget(ByteString uuid) {
        all.remove(Ids.uuid(uuid));
    }

    /** First of {@code count} object ids that nobody gets again. */
    long take(ByteString uuid, int count) {
        if (count < 1 || count > OID_RANGE_MAX) {
            throw Fault.of(FaultCode.INVAL, "an object-id range has 1 to %d ids, not %d", OID_RANGE_MAX, count)
                    .asException();
        }
        UUID id = Ids.uuid(uuid);
        PoolContainerMessage c = existing(id);
        all.put(id, c.toBuilder().setNextOid(c.getNextOid() + count).build());
        return c.getNextOid();
    }

    private PoolContainerMessage existing(UUID id) {
        PoolContainerMessage c = all.get(id);
        if (c == null || c.getDoomed()) {
            throw Fault.of(FaultCode.NONEXIST, "container %s does not exist", id)
                    .asException();
        }
        return c;
    }

    Iterable<PoolContainerMessage> save() {
        return all.values();
    }

    void load(List<PoolContainerMessage> saved) {
        all.clear();
        saved.forEach(c -> all.put(Ids.uuid(c.getContainer().getUuid()), c));
    }
}
