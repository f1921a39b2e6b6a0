package io.daosmesh.management.raft;

import io.daosmesh.management.log.Replicated;
import java.util.function.Function;

/**
 * A state machine with its lock: the log's applier writes, everybody else reads. Any thread. {@code changed} runs after
 * each change, on the applier's thread, and must not block.
 */
public final class Replica<D extends Replicated> {
    private final D db;
    private final Runnable changed;
    private final byte[] nothing;

    /** @param db to which nothing has been applied yet */
    public Replica(D db, Runnable changed) {
        this.db = db;
        this.changed = changed;
        this.nothing = db.snapshot();
    }

    /** A log begins: what was applied from another one before is gone. */
    void clear() {
        restore(nothing);
    }

    byte[] apply(byte[] command) {
        byte[] reply;
        synchronized (this) {
            reply = db.apply(command);
        }
        changed.run();
        return reply;
    }

    public synchronized byte[] snapshot() {
        return db.snapshot();
    }

    void restore(byte[] snapshot) {
        synchronized (this) {
            db.restore(snapshot);
        }
        changed.run();
    }

    public synchronized <T> T read(Function<D, T> reader) {
        return reader.apply(db);
    }

    /** Role of this node in the group has changed. */
    void roleChanged() {
        changed.run();
    }
}
