package io.daosmesh.engine.migrate;

import io.daosmesh.engine.history.Part;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the records of one batch. Owner: target loop. */
final class Gathering {
    private static final int RECORDS_MAX = 256;
    /** Entries looked at for one batch, so that a group full of prepared or newer records does not hold the loop. */
    private static final int VISITS_MAX = 5_000;

    private final PoolShard shard;
    private final Migration.Wanted wanted;
    private final int bytesMax;
    private final List<VosRecord> found = new ArrayList<>();
    private long bytes;
    private int visited;
    private byte @Nullable [] next;

    Gathering(PoolShard shard, Migration.Wanted wanted, int bytesMax) {
        this.shard = shard;
        this.wanted = wanted;
        this.bytesMax = bytesMax;
    }

    List<VosRecord> found() {
        return found;
    }

    /** Where the following batch starts; null = there is none. */
    byte @Nullable [] next() {
        return next;
    }

    /** @param from where it starts; empty = at the beginning. INPROGRESS while somebody else's update is being settled */
    void gather(KvReader kv, byte[] from) {
        Part part = new Part(wanted.group().groupPrefix(), wanted.dkeys());
        for (byte[] prefix : part.prefixes()) {
            if (from.length > 0 && Arrays.compareUnsigned(Keys.behind(prefix), from) <= 0) continue;
            try (KvCursor c = kv.cursor(KvRange.prefix(prefix))) {
                if (Keys.startsWith(from, prefix)) c.seek(from);
                while (c.next()) if (!take(part.group(), c)) return;
            }
        }
    }

    /** False if the batch is full. */
    private boolean take(byte[] group, KvCursor c) {
        byte[] key = c.key();
        boolean isFull = found.size() == RECORDS_MAX || visited++ == VISITS_MAX;
        VosRecord r = VosRecord.decode(key, c.value());
        long more = r.storedBytes();
        if (isFull || (bytes > 0 && bytes + more > bytesMax)) {
            next = key;
            return false;
        }
        if (r.epoch() > wanted.stableEpoch()) return true;
        byte[] scope = Keys.scope(group, key);
        if (shard.dtx().epochs(scope).contains(r.epoch())) {
            // one that this target drives reaches the new home by itself; of others it may be committed there
            if (shard.dtx().isLed(scope, r.epoch())) return true;
            throw Fault.of(FaultCode.INPROGRESS, "an update of the group is being settled")
                    .asException();
        }
        found.add(r);
        bytes += more;
        return true;
    }
}
