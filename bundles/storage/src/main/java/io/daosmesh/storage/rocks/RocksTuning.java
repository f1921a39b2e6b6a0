package io.daosmesh.storage.rocks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ChecksumType;
import org.rocksdb.CompressionType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/** How a target's RocksDB is set up, and why. Stateless. */
public final class RocksTuning {
    /** Small: two targets of a node must not cost tens of MiB each; 8 MiB still absorbs 2,000 values of 4 KiB. */
    private static final long WRITE_BUFFER_BYTES = 8L << 20;

    private static final long MANIFEST_AHEAD_BYTES = 64 << 10;

    private RocksTuning() {}

    /** A database with everything native that belongs to it. */
    public record Opened(RocksDB db, Options options, BloomFilter filter) implements AutoCloseable {
        @Override
        public void close() {
            db.close();
            options.close();
            filter.close();
        }
    }

    /** @param isNew true: there must be none; false: one must be there */
    public static Opened open(Path folder, RocksMemory memory, boolean isNew) throws RocksDBException {
        BloomFilter filter = new BloomFilter(10, false);
        Options options = new Options()
                // An index that is not there is lost, never empty.
                .setCreateIfMissing(isNew)
                .setErrorIfExists(isNew)
                .setParanoidChecks(true)
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setMaxWriteBufferNumber(3)
                .setMaxBackgroundJobs(2)
                .setMaxOpenFiles(128)
                .setBytesPerSync(1 << 20)
                .setCompressionType(CompressionType.NO_COMPRESSION)
                // What is not in tables is in the log of the engine.
                .setAvoidFlushDuringShutdown(true)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(2)
                .setMaxLogFileSize(1 << 20)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setMaxManifestFileSize(8 << 20)
                // Beyond that each index would take 4 MiB of a full SCM before it is open.
                .setManifestPreallocationSize(MANIFEST_AHEAD_BYTES);
        options.setTableFormatConfig(new BlockBasedTableConfig()
                .setBlockCache(memory.cache())
                .setBlockSize(8 << 10)
                .setFilterPolicy(filter)
                .setCacheIndexAndFilterBlocks(true)
                .setPinL0FilterAndIndexBlocksInCache(true)
                .setChecksumType(ChecksumType.kCRC32c));
        try {
            if (isNew) Files.createDirectories(folder);
            return new Opened(RocksDB.open(options, folder.toString()), options, filter);
        } catch (RocksDBException | IOException e) {
            options.close();
            filter.close();
            throw e instanceof RocksDBException r ? r : new RocksDBException(String.valueOf(e.getMessage()));
        }
    }
}
