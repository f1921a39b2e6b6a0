package io.daosmesh.engine.migrate;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.Origins;
import io.daosmesh.engine.vos.RecordRead;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Reads and verifies the bytes of some records. Starts on the target loop; its parts complete on device threads. */
final class Export {
    /** A medium that fails more often in one batch may be well again: nothing is given up for it. */
    private static final int BAD_BLOCKS_MAX = 16;

    private final TargetContext context;
    private final PoolShard shard;
    private final Plan plan;
    private final Answer<Migration.Exported> answer;
    private final AtomicInteger pending = new AtomicInteger(1);
    private final AtomicInteger badBlocks = new AtomicInteger();
    private final AtomicReference<@Nullable Fault> fault = new AtomicReference<>();
    /** Of the records in their order; each is set by one thread, before it counts down. */
    private final boolean[] isLost;

    private ByteBuffer out = ByteBuffer.allocate(0);
    private Runnable release = () -> {};

    /**
     * What one batch holds.
     *
     * @param isSalvage a record that cannot be read comes as a lost one; else it fails the batch
     * @param next where the following batch starts; null = this is the last
     */
    record Plan(List<VosRecord> records, boolean isSalvage, byte @Nullable [] next) {
        int byteCount() {
            return (int) records.stream().mapToLong(VosRecord::storedBytes).sum();
        }
    }

    Export(TargetContext context, PoolShard shard, Plan plan, Answer<Migration.Exported> answer) {
        this.context = context;
        this.shard = shard;
        this.plan = plan;
        this.answer = answer;
        this.isLost = new boolean[plan.records.size()];
    }

    void start() {
        try {
            if (plan.byteCount() > 0) {
                BufferPool.Buffer buffer = context.buffers().take(plan.byteCount());
                release = buffer::close;
                out = buffer.bytes().slice(0, plan.byteCount());
            }
            int at = 0;
            for (int i = 0; i < plan.records.size(); i++) {
                put(i, at);
                at += (int) plan.records.get(i).storedBytes();
            }
        } catch (FaultException e) {
            fault.compareAndSet(null, e.fault());
        }
        onPart();
    }

    private void put(int i, int at) {
        VosRecord r = plan.records.get(i);
        if (r.isPunch()) return;
        if (r.isLost()) {
            lost(i, Fault.of(FaultCode.CSUM, "no copy of a value can be read"));
        } else if (!r.isOnDevice()) {
            if (VosWriter.crc(ByteBuffer.wrap(r.inline())) == r.crc32c()) out.put(at, r.inline());
            else damaged(i, Fault.of(FaultCode.CSUM, "stored bytes are damaged"));
        } else {
            pending.incrementAndGet();
            RecordRead.start(shard.space().blob(), r, 0, r.length(), context.buffers(), (v, f) -> {
                if (v != null) {
                    out.put(at, v.bytes(), 0, v.bytes().remaining());
                    v.owner().close();
                } else if (f != null) {
                    unread(i, f);
                }
                onPart();
            });
        }
    }

    private void unread(int i, Fault f) {
        if (f.code() == FaultCode.CSUM) damaged(i, f);
        else if (RecordRead.isBadBlock(f) && badBlocks.incrementAndGet() <= BAD_BLOCKS_MAX) badBlock(i, f);
        else fault.compareAndSet(null, f);
    }

    private void badBlock(int i, Fault f) {
        shard.onUnreadable(context, plan.records.get(i));
        lost(i, f);
    }

    private void damaged(int i, Fault f) {
        shard.onDamage(context, plan.records.get(i), f);
        lost(i, f);
    }

    private void lost(int i, Fault f) {
        isLost[i] = true;
        if (!plan.isSalvage) fault.compareAndSet(null, f);
    }

    private void onPart() {
        if (pending.decrementAndGet() > 0) return;
        Fault f = fault.get();
        if (f != null) {
            release.run();
            answer.refuse(f);
            return;
        }
        List<MigratedRecordMessage> messages = new ArrayList<>(plan.records.size());
        for (int i = 0; i < plan.records.size(); i++) messages.add(message(plan.records.get(i), isLost[i]));
        answer.answer(new Migration.Exported(messages, closedUp(), release, plan.next), null);
    }

    /** The bytes without gaps where those of lost records would stand. */
    private ByteBuffer closedUp() {
        int from = 0;
        int to = 0;
        for (int i = 0; i < plan.records.size(); i++) {
            int n = (int) plan.records.get(i).storedBytes();
            if (!isLost[i]) {
                if (from != to) out.put(to, out, from, n);
                to += n;
            }
            from += n;
        }
        return out.slice(0, to);
    }

    private static MigratedRecordMessage message(VosRecord r, boolean isLost) {
        Keys.Parts p = Keys.parse(r.key());
        MigratedRecordMessage.Builder b = MigratedRecordMessage.newBuilder()
                .setKind(r.kind())
                .setEpoch(r.epoch())
                .setOffset(r.kind() == VosRecord.PUNCH_OBJECT ? p.group() : r.offset())
                .setLength(r.length())
                .setCrc32C(r.crc32c())
                .setLost(isLost);
        for (Origins.Part o : r.origins().parts()) b.addOriginEnd(o.end()).addOriginEpoch(o.epoch());
        byte[] dkey = p.dkey();
        byte[] akey = p.akey();
        if (dkey != null) b.setDkey(ByteString.copyFrom(dkey));
        if (akey != null) b.setAkey(ByteString.copyFrom(akey));
        return b.setNameCrc32C(NameSum.of(p.container(), p.oid(), b)).build();
    }
}
