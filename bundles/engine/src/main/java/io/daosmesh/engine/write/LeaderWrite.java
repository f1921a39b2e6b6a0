package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A replicated write that this target leads, from forwarding to committable or aborted. Owner: target loop. */
final class LeaderWrite {
    final WriteOp op;
    final DtxEntry entry;
    final VosWriter.Staging staging;
    final Answer<Long> answer;
    final long startNs;
    final long bytes;
    /** Component ids of the other members at the time of the write. */
    final List<Integer> members = new ArrayList<>(2);
    /** Those that have not answered. */
    final Set<Integer> waiting = new LinkedHashSet<>();
    /** Those whose own word has not come: a timeout is none. */
    final Set<Integer> silent = new LinkedHashSet<>();
    /** Forwards that still need the client's bytes: the answer, which frees them, waits for these. */
    private final AtomicInteger sending = new AtomicInteger();
    /** The answer is known and may only wait for {@code sending}. */
    private volatile boolean isDecided;

    boolean isLocalDone;
    boolean isLocalDurable;
    boolean isAnswered;
    boolean isSettled;

    @Nullable
    Fault fault;

    LeaderWrite(WriteOp op, DtxEntry entry, VosWriter.Staging staging, Answer<Long> answer, long startNs) {
        this.op = op;
        this.entry = entry;
        this.staging = staging;
        this.answer = answer;
        this.startNs = startNs;
        this.bytes = op.data().remaining();
    }

    void startSending() {
        sending.set(members.size());
    }

    boolean isSending() {
        return sending.get() > 0;
    }

    /** Any thread: one forward is away. True if the answer waits for nothing else. */
    boolean onSent() {
        return sending.decrementAndGet() == 0 && isDecided;
    }

    /** True if it may be answered now; else {@link #onSent} tells when. */
    boolean decide() {
        isDecided = true; // before the look at what is still being sent: whoever is later answers
        return !isSending();
    }

    /** Every member has it durable, and it is neither settled nor given up. */
    boolean isComplete() {
        return fault == null && !isSettled && isLocalDurable && waiting.isEmpty();
    }

    /** Nobody who sees this one would see anything of the older one. */
    boolean hides(LeaderWrite older) {
        if (!op.isUpdate() || !older.op.isUpdate()) return false;
        for (byte[] key : older.entry.recordKeys())
            if (entry.recordKeys().stream().noneMatch(mine -> Keys.isSameSingle(mine, key))) return false;
        return true;
    }

    /** A reader could see both at once. */
    boolean touches(LeaderWrite other) {
        ShardAddress a = op.address();
        ShardAddress b = other.op.address();
        if (a.group() != b.group() || !a.oid().equals(b.oid()) || !a.container().equals(b.container())) return false;
        if (op.level() == WriteOp.OBJECT || other.op.level() == WriteOp.OBJECT) return true;
        for (byte[] mine : entry.scopes())
            for (byte[] theirs : other.entry.scopes()) if (Arrays.equals(mine, theirs)) return true;
        return false;
    }
}
