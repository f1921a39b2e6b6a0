package io.daosmesh.model.port;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What rebuild needs of a rank's engine; published by the engine bundle as an OSGi service (property {@code rank}). Any
 * thread: work is queued to the target loops.
 */
public interface EngineMigration {
    int rank();

    int targetCount();

    /**
     * Completes when every target of this rank has adopted the pool map version, no operation of an older version is under
     * way, and DTXs left by lost leaders are settled. Emits the local HLC. DER_STALE if the map is already newer.
     */
    Mono<Long> fence(UUID pool, int mapVersion);

    /** Objects stored on a target for the pool. */
    Flux<StoredObject> scan(UUID pool, int target);

    record StoredObject(UUID container, ObjectId oid) {}

    /**
     * Committed records of one group of an object at or below the epoch, in (dkey, akey, epoch) order, checksums verified.
     *
     * @param isSalvage a record that cannot be read comes as a lost one, without its bytes; else it ends the stream with CSUM,
     *     or NVME_IO for a bad block
     */
    Flux<Batch> export(UUID pool, int target, StoredGroup group, long stableEpoch, boolean isSalvage);

    /**
     * Records with their bytes in list order; at most 1 MiB or 256 records.
     *
     * @param onDone returns {@code data} to its pool; call exactly once
     */
    record Batch(List<MigratedRecordMessage> records, ByteBuffer data, Runnable onDone) {}

    /**
     * Before a group is pulled: deletes what an earlier stay of it has left here, that is every committed record at or
     * below the epoch. DER_STALE when the target does not have to pull the group at exactly this map version.
     */
    Mono<Void> clearGroup(UUID pool, int target, StoredGroup group, int mapVersion, long stableEpoch);

    record StoredGroup(UUID container, ObjectId oid, int index) {}

    /** Stores records with their original epochs; durable when complete; the same record twice is harmless. */
    Mono<Void> importBatch(
            UUID pool, int target, UUID container, ObjectId oid, List<MigratedRecordMessage> records, ByteBuffer data);

    /** Deletes the groups of an object that do not belong on this target at the map version (reclaim). */
    Mono<Void> reclaim(UUID pool, int target, UUID container, ObjectId oid, Set<Integer> groups, int mapVersion);
}
