package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.rocks.RocksKvStore;
import io.daosmesh.storage.rocks.RocksMemory;
import io.daosmesh.storage.scm.DurableFile;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.smd.IndexNote;
import io.daosmesh.storage.smd.IndexNote.State;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A target's index with what is noted of it: an index that is missing, is another one or ends before the noted position is
 * damaged and stays so until it is formatted anew; it is never taken for an empty or a shorter one. Owner: the engine's owner
 * loop; {@link #note()} any thread.
 */
public final class TargetIndex implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(TargetIndex.class);

    private final int target;
    private final DurableFile file;
    private final KvStore kv;
    /** Null for a damaged one. */
    private final @Nullable RocksKvStore store;

    private IndexNote last;
    private boolean isClosed;

    private TargetIndex(int target, DurableFile file, KvStore kv, IndexNote last) {
        this.target = target;
        this.file = file;
        this.kv = kv;
        this.store = kv instanceof RocksKvStore s ? s : null;
        this.last = last;
    }

    /** Makes an empty one; the only place that does. Durable on return. */
    static void format(ScmFolder scm, int target, RocksMemory memory) {
        UUID id = UUID.randomUUID();
        try (TargetIndex made = new TargetIndex(
                target,
                scm.indexNote(target),
                RocksKvStore.create(scm.index(target), memory, id),
                new IndexNote(id, State.OPEN, 0, ""))) {
            made.write(made.last);
        }
    }

    /**
     * A damaged one comes back as a store that refuses everything.
     *
     * @param isNoted there must be a note; false = an older release may have left none, then what is there counts
     */
    static TargetIndex open(ScmFolder scm, int target, RocksMemory memory, boolean isNoted) {
        DurableFile file = scm.indexNote(target);
        IndexNote note = new IndexNote(RocksKvStore.NO_IDENTITY, State.OPEN, 0, "");
        RocksKvStore store = null;
        try {
            Optional<byte[]> bytes = file.read();
            if (bytes.isPresent()) note = IndexNote.decode(target, bytes.get());
            else if (isNoted) throw damaged("its note is missing").asException();
            if (note.state() == State.DAMAGED) throw damaged(note.reason()).asException();
            store = RocksKvStore.open(scm.index(target), memory);
            if (bytes.isPresent()) check(store, note);
            else if (store.identity().equals(RocksKvStore.NO_IDENTITY)) store.adopt(UUID.randomUUID());
            TargetIndex index = new TargetIndex(target, file, store, note);
            // from here on there may be more than is noted, and nothing is closed in order
            index.write(new IndexNote(store.identity(), State.OPEN, store.durablePosition(), ""));
            return index;
        } catch (FaultException e) {
            if (store != null) store.close();
            if (e.code() != FaultCode.DF_INVAL) throw e;
            return damaged(scm, target, note, e.fault());
        }
    }

    private static void check(RocksKvStore store, IndexNote note) {
        if (!store.identity().equals(note.index()))
            throw damaged("it is index " + store.identity() + " in the place of " + note.index())
                    .asException();
        long missing = note.position() - store.durablePosition();
        // short: it goes into an event of limited length
        if (missing > 0)
            throw damaged(missing + " of " + note.position() + " batches noted as durable are missing"
                            + (note.state() == State.CLOSED ? " since its clean stop" : ""))
                    .asException();
    }

    private static Fault damaged(String how) {
        return Fault.of(FaultCode.DF_INVAL, "%s", how);
    }

    private static TargetIndex damaged(ScmFolder scm, int target, IndexNote note, Fault why) {
        Fault fault = Fault.of(FaultCode.DF_INVAL, "%s", why.text())
                .with("index", scm.index(target))
                .remedy(
                        "what it held is rebuilt from the other replicas; the target serves again when the engine's storage is"
                                + " formatted anew (dmg storage format --force)");
        log.error("target {}: its index is damaged: {}; {}", target, fault.message(), fault.remedy());
        TargetIndex index = new TargetIndex(target, scm.indexNote(target), new DamagedKvStore(fault), note);
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

    /** Makes the present durable position the floor of the next start. */
    void note() {
        synchronized (file) {
            RocksKvStore open = store;
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

    /** In order: all batches go from the log into tables, which are checked when they are read. */
    @Override
    public void close() {
        synchronized (file) {
            RocksKvStore open = store;
            if (open == null || isClosed) return;
            try {
                boolean isWhole = open.flush();
                note();
                isClosed = true;
                open.close();
                if (isWhole) write(new IndexNote(last.index(), State.CLOSED, open.durablePosition(), ""));
            } catch (FaultException e) {
                log.warn("target {}: its clean stop is not noted: {}", target, e.getMessage());
            } finally {
                isClosed = true;
                open.close();
            }
        }
    }
}
