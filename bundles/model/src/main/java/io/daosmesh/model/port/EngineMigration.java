package io.daosmesh.model.port;

import com.google.protobuf.ByteString;
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

    /** Committed records at or below an epoch, in (dkey, akey, epoch) order, checksums verified. */
    Flux<Batch> export(UUID pool, int target, Wanted wanted);

    /**
     * What is to be exported.
     *
     * @param isSalvage a record that cannot be read comes as a lost one, without its bytes; else it ends the stream with CSUM,
     *     or NVME_IO for a bad block
     * @param hasIds behind the records come the ids of the group's updates that a client may send again
     */
    record Wanted(GroupPart part, long stableEpoch, boolean isSalvage, boolean hasIds) {}

    /**
     * Records with their bytes in list order; at most 1 MiB or 256 records.
     *
     * @param onDone returns {@code data} to its pool; call exactly once
     */
    record Batch(List<MigratedRecordMessage> records, ByteBuffer data, Runnable onDone) {}

    /**
     * Before something is pulled: deletes what an earlier stay of it has left here, that is every committed record at or
     * below the epoch, and remembers over restarts that it has to be pulled, until {@link #filled}. DER_STALE when the target
     * does not have to pull the group at exactly this map version.
     */
    Mono<Void> clear(UUID pool, int target, GroupPart part, int mapVersion, long stableEpoch);

    /** Remembers that this was pulled by the rebuild of the map version; DER_STALE when there is a newer one. */
    Mono<Void> filled(UUID pool, int target, GroupPart part, int mapVersion);

    record StoredGroup(UUID container, ObjectId oid, int index) {}

    /** @param dkeys of the group; empty = all of it */
    record GroupPart(StoredGroup group, List<ByteString> dkeys) {}

    /** What a target that has to pull groups knows of them, in their order. */
    Mono<List<Held>> held(UUID pool, int target, List<StoredGroup> groups);

    /**
     * What is here of a group that may have missed changes.
     *
     * @param asOf every change of this pool map version and older ones is here; 0 = nothing is sure
     * @param dkeys but for those of these
     */
    record Held(int asOf, List<ByteString> dkeys) {}

    /**
     * What has changed in groups that a target holds completely, in their order. DER_STALE at another map version, and for a
     * group without a settled replica here.
     */
    Mono<List<Change>> changes(UUID pool, int target, int mapVersion, List<Since> groups);

    /** @param version changes by newer pool maps are asked for */
    record Since(StoredGroup group, int version) {}

    /**
     * @param isGone nothing is stored of it
     * @param isAll all of it has changed, or that is not known
     * @param dkeys that have changed; empty if {@code isGone} or {@code isAll}
     */
    record Change(boolean isGone, boolean isAll, List<ByteString> dkeys) {
        public static final Change ALL = new Change(false, true, List.of());
    }

    /** Stores records with their original epochs; durable when complete; the same record twice is harmless. */
    Mono<Void> importBatch(
            UUID pool, int target, UUID container, ObjectId oid, List<MigratedRecordMessage> records, ByteBuffer data);

    /** Deletes the groups of an object that do not belong on this target at the map version (reclaim). */
    Mono<Void> reclaim(UUID pool, int target, UUID container, ObjectId oid, Set<Integer> groups, int mapVersion);
}
