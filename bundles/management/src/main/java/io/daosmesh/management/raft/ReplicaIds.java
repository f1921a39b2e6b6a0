package io.daosmesh.management.raft;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.RaftIdentities;
import io.daosmesh.model.wire.RaftIdentities.Entry;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which replica of each group this node has: written down beside the logs before the replica begins, so that both are lost together,
 * and a log that is lost alone is noticed. Any thread may read; one at a time writes.
 */
final class ReplicaIds {
    private static final int MAGIC = 0x52504944; // "RPID"

    private final WholeFile<RaftIdentities> file;
    private final Map<UUID, String> ids = new ConcurrentHashMap<>();

    /** Blocks for the disk. */
    ReplicaIds(Path dir) {
        file = new WholeFile<>(
                dir.resolve("replicas"),
                MAGIC,
                RaftIdentities.parser(),
                "restore the folder, or remove it if the other replicas are healthy");
        file.read().ifPresent(m -> m.getReplicasList().forEach(e -> ids.put(Ids.uuid(e.getGroup()), e.getIdentity())));
    }

    /** Empty for a replica of before there was one. */
    String of(UUID group) {
        return ids.getOrDefault(group, "");
    }

    void put(UUID group, String identity) {
        if (of(group).equals(identity)) return;
        Map<UUID, String> next = new TreeMap<>(ids);
        next.put(group, identity);
        write(next);
        ids.put(group, identity);
    }

    void remove(UUID group) {
        if (!ids.containsKey(group)) return;
        Map<UUID, String> next = new TreeMap<>(ids);
        next.remove(group);
        write(next);
        ids.remove(group);
    }

    private void write(Map<UUID, String> all) {
        RaftIdentities.Builder b = RaftIdentities.newBuilder();
        all.forEach((group, identity) ->
                b.addReplicas(Entry.newBuilder().setGroup(Ids.bytes(group)).setIdentity(identity)));
        file.write(b.build());
    }
}
