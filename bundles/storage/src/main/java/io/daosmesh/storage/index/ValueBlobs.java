package io.daosmesh.storage.index;

import io.daosmesh.storage.slot.DeviceBlob;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** The blobs of one target. Any thread. */
public interface ValueBlobs {
    /** Null for one whose pool is gone. */
    @Nullable
    DeviceBlob blob(long blobId);

    /** Those that may hold values. */
    Collection<DeviceBlob> blobs();
}
