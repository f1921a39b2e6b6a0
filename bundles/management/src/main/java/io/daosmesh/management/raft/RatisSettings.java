package io.daosmesh.management.raft;

import io.daosmesh.management.loop.RequestLimits;
import io.daosmesh.management.loop.Timing;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.RaftConfigKeys;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/** How Ratis runs here: little memory a group, quick elections, a flush before each acknowledgement. */
public final class RatisSettings {
    /** Bytes of log entries in one message. */
    static final int APPEND_BYTES = RequestLimits.RAFT_PAGE_BYTES;

    /**
     * Bytes of one command: a larger entry than a message takes would have the library's leader step down, so that nobody led as
     * long as somebody sent them. The largest of all, a pool's first map, fits with 5,000 targets.
     */
    public static final int COMMAND_BYTES_MAX = APPEND_BYTES - (16 << 10);

    private static final int SNAPSHOT_EVERY = 1000;

    private RatisSettings() {}

    static RaftProperties of(Path dir, Timing timing) {
        RaftProperties p = new RaftProperties();
        RaftConfigKeys.Rpc.setType(p, new MeshRpcType());
        RaftServerConfigKeys.setStorageDir(p, List.of(dir.toFile()));
        RaftServerConfigKeys.setRemovedGroupsDir(
                p, dir.resolveSibling("raft-removed").toFile());
        // Ratis would shut its server down after a pause of a minute; a stopped and continued process has to go on.
        RaftServerConfigKeys.setCloseThreshold(p, TimeDuration.valueOf(3650, TimeUnit.DAYS));
        RaftServerConfigKeys.setSleepDeviationThreshold(p, ms(1000));
        RaftServerConfigKeys.Rpc.setTimeoutMin(p, ms(timing.electionMin().toMillis()));
        RaftServerConfigKeys.Rpc.setTimeoutMax(p, ms(timing.electionMax().toMillis()));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(p, ms(150));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(
                p, ms(timing.firstElectionMax().toMillis()));
        RaftServerConfigKeys.Rpc.setRequestTimeout(p, ms(1500));
        // Between two tries to reach a dead follower.
        RaftServerConfigKeys.Rpc.setSleepTime(p, ms(100));
        // Reads do not go through the library: see ReadBarrier.
        RaftServerConfigKeys.Read.setLeaderLeaseEnabled(p, false);
        RaftServerConfigKeys.Write.setElementLimit(p, 1024);
        RaftServerConfigKeys.Write.setByteLimit(p, SizeInBytes.valueOf(4 << 20));
        log(p);
        return p;
    }

    private static void log(RaftProperties p) {
        RaftServerConfigKeys.Log.setSegmentSizeMax(p, SizeInBytes.valueOf(1 << 20));
        RaftServerConfigKeys.Log.setPreallocatedSize(p, SizeInBytes.valueOf(256 << 10));
        RaftServerConfigKeys.Log.setWriteBufferSize(p, SizeInBytes.valueOf(APPEND_BYTES + 1024));
        RaftServerConfigKeys.Log.setQueueElementLimit(p, 1024);
        RaftServerConfigKeys.Log.setQueueByteLimit(p, SizeInBytes.valueOf(4 << 20));
        RaftServerConfigKeys.Log.setSegmentCacheNumMax(p, 2);
        RaftServerConfigKeys.Log.setSegmentCacheSizeMax(p, SizeInBytes.valueOf(4 << 20));
        RaftServerConfigKeys.Log.setForceSyncNum(p, 64);
        RaftServerConfigKeys.Log.setLogMetadataEnabled(p, false);
        // Otherwise a replica that stays away would make the log of the others grow without end: it gets the snapshot.
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(p, true);
        RaftServerConfigKeys.Log.setPurgeGap(p, 512);
        RaftServerConfigKeys.Log.setPurgePreservationLogNum(p, 512);
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(p, SizeInBytes.valueOf(APPEND_BYTES));
        RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(p, SizeInBytes.valueOf(APPEND_BYTES));
        RaftServerConfigKeys.Log.Appender.setWaitTimeMin(p, TimeDuration.ZERO);
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(p, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(p, SNAPSHOT_EVERY);
        RaftServerConfigKeys.Snapshot.setCreationGap(p, 1);
        RaftServerConfigKeys.Snapshot.setRetentionFileNum(p, 2);
    }

    private static TimeDuration ms(long n) {
        return TimeDuration.valueOf(n, TimeUnit.MILLISECONDS);
    }
}
