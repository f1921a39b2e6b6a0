package io.daosmesh.storage.kv;

/**
 * An ordered store of byte keys (unsigned lexicographic order) on SCM. Writer: the owning target loop; readers: any
 * thread. All calls throw {@link io.daosmesh.model.fault.FaultException}: IO or NOSPACE when the medium fails, after which
 * every write is refused (fail-stop), UNINIT after {@link #close()}.
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

    /** Closes what is still open of its cursors and snapshots first. Idempotent. */
    @Override
    void close();
}
