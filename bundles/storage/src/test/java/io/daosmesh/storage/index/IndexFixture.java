package io.daosmesh.storage.index;

import io.daosmesh.pmem.PmemDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.slot.HeldMemory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** An engine's indexes without its devices. */
final class IndexFixture {
    static final UUID ENGINE = new UUID(5, 6);
    /** Small: segments are used again and again, and a copy of all is soon made. */
    static final LogLimits SMALL = new LogLimits(256 << 10, 6);

    private static final LogLimits USUAL = new LogLimits(4 << 20, 6);

    private static final ValueBlobs NO_BLOBS = new ValueBlobs() {
        @Override
        public @Nullable DeviceBlob blob(long blobId) {
            return null;
        }

        @Override
        public List<DeviceBlob> blobs() {
            return List.of();
        }
    };

    private IndexFixture() {}

    static ScmFolder scm(PmemDriver pmem, Path at) {
        return ScmFolder.open(0, pmem, new DeviceSpec("file", at.toString(), 256L << 20, Map.of()));
    }

    static void format(ScmFolder scm, LogLimits limits) {
        EngineIndexes.format(scm, ENGINE, 1, limits);
    }

    static EngineIndexes indexes(ScmFolder scm) {
        return EngineIndexes.open(scm, ENGINE, Duration.ofSeconds(5), List.of(NO_BLOBS), new HeldMemory(0));
    }

    /** The index of one target, formatted if there is none; closing it closes all. */
    static KvStore open(ScmFolder scm) {
        if (scm.indexNote(0).read().isEmpty()) format(scm, USUAL);
        EngineIndexes indexes = indexes(scm);
        return new Whole(indexes, indexes.kv(0));
    }

    private static final class Whole extends ForwardingKvStore {
        private final EngineIndexes indexes;

        Whole(EngineIndexes indexes, KvStore kv) {
            super(kv);
            this.indexes = indexes;
        }

        @Override
        public void close() {
            indexes.close();
        }
    }
}
