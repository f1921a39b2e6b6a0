package io.daosmesh.storage.kv;

import io.daosmesh.model.fault.Fault;
import org.jspecify.annotations.Nullable;

/**
 * An ordered store of byte keys (unsigned lexicographic order) on SCM. Writer: the owning target loop; readers: any
 * thread. All calls throw {@link io.daosmesh.model.fault.FaultException}: IO or NOSPACE when the medium fails, DF_INVAL when
 * what it holds is damaged, after which every write is refused (fail-stop), UNINIT after {@link #close()}. Keys that begin
 * with sixteen bytes ff are the store's own.
 */
public interface KvStore extends KvReader, AutoCloseable {
    /**
     * Applies the batch as a whole or not at all, visible at once.
     *
     * @param isDurable true: synced before return, also against power loss; false: survives the death of the process and
     *     becomes durable with the next durable batch
     */
    void write(KvBatch batch, boolean isDurable);

    /** A view that later writes do not change; the caller closes it. */
    KvSnapshot snapshot();

    /** Bytes the store takes now, an estimate. */
    long sizeBytes();

    /**
     * Why what the store answers cannot be trusted any more; null while it can. Whoever serves from it stops then: what was
     * acknowledged may be missing.
     */
    default @Nullable Fault damage() {
        return null;
    }

    /** Closes what is still open of its cursors and snapshots first. Idempotent. */
    @Override
    void close();
}
