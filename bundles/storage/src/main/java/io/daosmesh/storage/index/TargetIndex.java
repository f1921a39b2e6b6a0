package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.rocks.RocksKvStore;
import io.daosmesh.storage.rocks.RocksMemory;
import io.daosmesh.storage.scm.DurableFile;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.smd.IndexNote;
import io.daosmesh.storage.smd.IndexNote.State;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A target's index with what is noted of it: an index that is missing, is another one or ends before the noted position is
 * damaged and stays so until it is formatted anew; it is never taken for an empty or a shorter one. Owner: the engine's owner
 * loop; {@link #note()} any thread.
 */
final class TargetIndex {
    private static final UUID NO_IDENTITY = new UUID(0, 0);
    private static final Logger log = LoggerFactory.getLogger(TargetIndex.class);

    private final int target;
    private final DurableFile file;
    private final KvStore kv;
    /** Both null for a damaged one. */
    private final @Nullable RocksKvStore store;

    private final @Nullable LoggedKvStore logged;
    private IndexNote last;
    private boolean isClosed;

    private TargetIndex(int target, DurableFile file, Fault damage, IndexNote last) {
        this.target = target;
        this.file = file;
        this.kv = new DamagedKvStore(damage);
        this.store = null;
        this.logged = null;
        this.last = last;
    }

    private TargetIndex(int target, DurableFile file, RocksKvStore store, LoggedKvStore logged, IndexNote last) {
        this.target = target;
        this.file = file;
        this.kv = logged;
        this.store = store;
        this.logged = logged;
        this.last = last;
    }

    /** Makes an empty one; the only place that does. Durable on return. */
    static void format(ScmFolder scm, int target, RocksMemory memory) {
        UUID id = UUID.randomUUID();
        RocksKvStore.create(scm.index(target), memory, id).close();
        scm.indexNote(target).write(new IndexNote(id, State.CLOSED, 0, "").encode(target));
    }

    /** What the log holds goes into its tables. A damaged one comes back as a store that refuses everything. */
    static TargetIndex open(ScmFolder scm, int target, RocksMemory memory, EngineLog engineLog, HeldKeeper held) {
        DurableFile file = scm.indexNote(target);
        IndexNote note = new IndexNote(NO_IDENTITY, State.OPEN, 0, "");
        RocksKvStore store = null;
        try {
            note = IndexNote.decode(target, file.read().orElseThrow(() -> damaged("its note is missing")));
            if (note.state() == State.DAMAGED) throw damaged(note.reason());
            store = RocksKvStore.open(scm.index(target), memory, scm.reserve()::giveUp);
            recover(target, store, note, engineLog.recovery(), held.blobs(target));
            LoggedKvStore logged = new LoggedKvStore(target, store, engineLog, held.memory());
            TargetIndex index = new TargetIndex(target, file, store, logged, note);
            // from here on there may be more than is noted, and nothing is closed in order
            index.write(new IndexNote(note.index(), State.OPEN, store.position(), ""));
            return index;
        } catch (FaultException e) {
            if (store != null) store.close();
            if (e.code() != FaultCode.DF_INVAL) throw e;
            return damaged(scm, target, note, e.fault());
        }
    }

    private static void recover(int target, RocksKvStore store, IndexNote note, LogRecovery log, ValueBlobs blobs) {
        UUID found = store.identity().orElse(NO_IDENTITY);
        if (!found.equals(note.index())) throw damaged("it is index " + found + " in the place of " + note.index());
        // nothing is behind a clean stop, and all values are on their devices, so that the log cannot tell more
        if (note.state() == State.CLOSED && store.position() == note.position()) return;
        String lost = log.replay(target, store.position(), new Replay(store, blobs));
        if (lost != null) throw damaged(lost);
        long missing = note.position() - store.position();
        // short: it goes into an event of limited length
        if (missing > 0)
            throw damaged(missing + " of " + note.position() + " batches noted as durable are missing"
                    + (note.state() == State.CLOSED ? " since its clean stop" : ""));
        Fault failed = store.flush();
        if (failed != null) throw failed.asException();
    }

    private static FaultException damaged(String how) {
        return Fault.of(FaultCode.DF_INVAL, "%s", how).asException();
    }

    private static TargetIndex damaged(ScmFolder scm, int target, IndexNote note, Fault why) {
        Fault fault = Fault.of(FaultCode.DF_INVAL, "%s", why.text())
                .with("index", scm.index(target))
                .remedy(
                        "what it held is rebuilt from the other replicas; the target serves again when the engine's storage is"
                                + " formatted anew (dmg storage format --force)");
        log.error("target {}: its index is damaged: {}; {}", target, fault.message(), fault.remedy());
        TargetIndex index = new TargetIndex(target, scm.indexNote(target), fault, note);
        try {
            if (note.state() != State.DAMAGED) index.write(note.withDamage(why.text()));
        } catch (FaultException e) {
            // found again at the next start, as it was found now
            log.error("target {}: the damage of its index is not noted: {}", target, e.getMessage());
        }
        return index;
    }

    KvStore kv() {
        return kv;
    }

    /** Values of batches up to this one that are still held are in the log once more. */
    void moveUp(ValueBlobs blobs, long lsn) {
        LoggedKvStore open = logged;
        if (open != null) for (DeviceBlob blob : blobs.blobs()) open.moveUp(blob, lsn);
    }

    /** Moves what is applied into tables; why not for one that has failed, null for one that is out. Any thread. */
    @Nullable
    Fault flush() {
        RocksKvStore open = store;
        return open == null ? null : open.flush();
    }

    /** Makes the present durable position the floor of the next start. */
    void note() {
        synchronized (file) {
            LoggedKvStore open = logged;
            if (open == null || isClosed || last.state() == State.DAMAGED) return;
            Fault damage = open.damage();
            long position = open.durablePosition();
            // an error of the medium may end with its repair, what fails its checksum stays wrong
            if (damage != null && damage.code() == FaultCode.DF_INVAL) write(last.withDamage(damage.text()));
            else if (position > last.position()) write(new IndexNote(last.index(), State.OPEN, position, ""));
        }
    }

    private void write(IndexNote note) {
        file.write(note.encode(target));
        last = note;
    }

    /**
     * In order: all batches are in tables, which are checked when they are read.
     *
     * @param isSettled all values are on their devices
     */
    void close(boolean isSettled) {
        synchronized (file) {
            RocksKvStore open = store;
            if (open == null || isClosed) return;
            try {
                boolean isWhole = open.flush() == null && open.damage() == null && isSettled;
                note();
                if (isWhole) write(new IndexNote(last.index(), State.CLOSED, open.position(), ""));
            } catch (FaultException e) {
                log.warn("target {}: its clean stop is not noted: {}", target, e.getMessage());
            } finally {
                isClosed = true;
                open.close();
            }
        }
    }
}
