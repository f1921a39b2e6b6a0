package io.daosmesh.storage;

import io.daosmesh.model.fault.Fault;
import org.jspecify.annotations.Nullable;

/** Receives the outcome of a blob request exactly once, on a device or storage thread; must not block. */
@FunctionalInterface
public interface BlobCompletion {
    /** @param fault null = done; NVME_IO, NOSPACE, BUSY or CANCELED otherwise */
    void done(@Nullable Fault fault);
}
