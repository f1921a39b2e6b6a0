package io.daosmesh.management.raft;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.release.StoredFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * Carries a {@link Replica} on a Ratis log. Owner: Ratis's applier of the group. A snapshot file is magic, layout, CRC32C and
 * bytes; it counts once its digest file is beside it, so that a kill at any moment leaves the one before.
 */
final class RatisStateMachine extends BaseStateMachine {
    private static final int MAGIC = 0x44534d53; // DSMS
    private static final int LAYOUT = StoredFormat.SERVICE_SNAPSHOT.newest();
    private static final int HEADER_BYTES = 16;

    private final Replica<?> replica;
    private final Consumer<String> onIncompatible;
    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();

    /** @param onIncompatible told what a release of another layout has left; the group does not open then */
    RatisStateMachine(Replica<?> replica, Consumer<String> onIncompatible) {
        this.replica = replica;
        this.onIncompatible = onIncompatible;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage) throws IOException {
        super.initialize(server, groupId, raftStorage);
        getLifeCycle().startAndTransition(() -> {
            dropUnfinished(raftStorage.getStorageDir().getStateMachineDir().toPath());
            storage.init(raftStorage);
            load(storage.loadLatestSnapshot());
        });
    }

    /** Ratis refuses to install a leader's snapshot unless the life cycle says that nothing is applied meanwhile. */
    @Override
    public void pause() {
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    /** A leader's snapshot is in place of what was here. */
    @Override
    public void reinitialize() throws IOException {
        load(storage.loadLatestSnapshot());
        if (getLifeCycleState() == LifeCycle.State.PAUSED) {
            getLifeCycle().transition(LifeCycle.State.STARTING);
            getLifeCycle().transition(LifeCycle.State.RUNNING);
        }
    }

    @Override
    public SimpleStateMachineStorage getStateMachineStorage() {
        return storage;
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext trx) {
        LogEntryProto entry = trx.getLogEntry();
        byte[] command = entry.getStateMachineLogEntry().getLogData().toByteArray();
        byte[] reply = replica.apply(command);
        updateLastAppliedTermIndex(TermIndex.valueOf(entry));
        ByteString bytes = UnsafeByteOperations.unsafeWrap(reply);
        return CompletableFuture.completedFuture(Message.valueOf(bytes));
    }

    @Override
    public long takeSnapshot() throws IOException {
        TermIndex applied = getLastAppliedTermIndex();
        if (applied == null || applied.getIndex() < 0) return -1;
        byte[] state = replica.snapshot();
        Path file =
                storage.getSnapshotFile(applied.getTerm(), applied.getIndex()).toPath();
        Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
        write(unfinished, state);
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        MD5Hash digest = MD5FileUtil.computeAndSaveMd5ForFile(file.toFile());
        storage.updateLatestSnapshot(new SingleFileSnapshotInfo(new FileInfo(file, digest), applied));
        return applied.getIndex();
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId member, @Nullable RaftPeerId leader) {
        replica.roleChanged();
    }

    @Override
    public void notifyLeaderReady() {
        replica.roleChanged();
    }

    private static void write(Path file, byte[] state) throws IOException {
        CRC32C crc = new CRC32C();
        crc.update(state);
        ByteBuffer b = ByteBuffer.allocate(HEADER_BYTES + state.length);
        b.putInt(MAGIC).putInt(LAYOUT).putLong(crc.getValue()).put(state).flip();
        try (FileChannel c = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            while (b.hasRemaining()) c.write(b);
            c.force(true);
        }
    }

    private void load(@Nullable SingleFileSnapshotInfo snapshot) throws IOException {
        if (snapshot == null) {
            replica.clear();
            return;
        }
        Path file = snapshot.getFile().getPath();
        if (!Files.exists(file)) throw new IOException("snapshot " + file + " is missing");
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer b = ByteBuffer.wrap(bytes);
        if (bytes.length < HEADER_BYTES || b.getInt() != MAGIC) throw new IOException(file + " is no snapshot");
        int layout = b.getInt();
        Optional<Fault> refusal = StoredFormat.SERVICE_SNAPSHOT.refusal(layout);
        if (refusal.isPresent()) {
            onIncompatible.accept(
                    "incompatible layout version: " + refusal.get().text());
            throw new IOException(file + ": " + refusal.get().text());
        }
        CRC32C crc = new CRC32C();
        long wanted = b.getLong();
        crc.update(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES);
        if (crc.getValue() != wanted) throw new IOException(file + " is damaged: its checksum does not match");
        try {
            replica.restore(Arrays.copyOfRange(bytes, HEADER_BYTES, bytes.length));
        } catch (FaultException e) {
            if (e.code() == FaultCode.DF_INCOMPT)
                onIncompatible.accept(
                        "incompatible layout version: " + e.fault().text());
            throw e;
        }
        setLastAppliedTermIndex(SimpleStateMachineStorage.getTermIndexFromSnapshotFile(file.toFile()));
    }

    /** A snapshot without its digest was cut short by a kill; the log it would have replaced is still there. */
    private static void dropUnfinished(Path dir) throws IOException {
        if (!Files.isDirectory(dir)) return;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, "snapshot.*")) {
            for (Path f : files) {
                String name = f.getFileName().toString();
                boolean digest = name.endsWith(MD5FileUtil.MD5_SUFFIX);
                if (!digest && !Files.exists(f.resolveSibling(name + MD5FileUtil.MD5_SUFFIX))) Files.delete(f);
            }
        }
    }
}
