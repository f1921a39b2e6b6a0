package io.daosmesh.engine.scrub;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.GroupReader;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordRead;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads all values of a shard in the order of the index and verifies their checksums: a bounded step for each tick, one read of the
 * device at a time. What is damaged goes the way of a damaged read: counted, told, repaired from another replica. It rests while
 * the target itself is filled or emptied, and goes on slowly while others are. Owner: target loop, but for {@link #report}. Source: daos-engine facts 6.4.
 */
public final class Scrubber {
    /** Of one step, whatever lies there. */
    private static final int ENTRIES_PER_STEP = 256;
    /** When a value could not be had for a while. */
    private static final long PAUSE_NS = 1_000_000_000L;

    private static final int BLOCK_BYTES = 4096;
    /** So much of a pass is done again after a crash. */
    private static final long SAVE_NS = 30_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final LongSupplier operations;
    private final ScrubTally tally = new ScrubTally();
    private final ScrubPace pace;
    private ScrubPolicy policy = ScrubPolicy.NONE;
    /** The pool's properties come with its map: until then nobody has switched it off either. */
    private boolean isTold;

    private boolean isLoaded;
    private long savedNs;
    private byte[] saved = VosRecord.NO_BYTES;
    /** Where it goes on. */
    private byte[] at = VosRecord.NO_BYTES;
    /** Of the pass, as the space in use counts them. */
    private long passedBytes;

    private boolean isReading;
    private boolean isReportedOff;
    private long notBeforeNs;
    private volatile ScrubReport report = ScrubReport.NONE;

    /** @param operations requests to the target until now, of whatever pool */
    public Scrubber(TargetContext context, PoolShard shard, LongSupplier operations) {
        this.context = context;
        this.shard = shard;
        this.operations = operations;
        this.pace = new ScrubPace(context.nowNs());
        this.notBeforeNs = context.nowNs();
    }

    /** What holds from now on; the pass under way goes on by it. */
    public void setPolicy(ScrubPolicy next) {
        policy = next;
        isTold = true;
    }

    /** Any thread; as of the last tick. */
    public ScrubReport report() {
        return report;
    }

    public void onTick() {
        long now = context.nowNs();
        if (!isLoaded) load(now);
        if (!isTold || shard.map() == null) return;
        boolean isOff = policy.mode() == ScrubPolicy.Mode.OFF || !shard.isServing();
        if (isOff) tally.stop();
        else if (mayScrub()) tick(now);
        else if (isLeaving()) tally.forgetCorruptions();
        if (now - savedNs >= SAVE_NS) save(now);
        if (!isOff || !isReportedOff) report = tally.report(policy, now);
        isReportedOff = isOff;
    }

    private void load(long now) {
        isLoaded = true;
        savedNs = now;
        ScrubState s = ScrubState.decode(context.kv().get(Keys.scrub(shard.pool())));
        if (s == null) return;
        tally.load(s, now, Hlc.toUnixMillis(context.host().hlcNow()));
        at = Keys.startsWith(s.at(), Keys.records(shard.pool())) ? s.at() : Keys.records(shard.pool());
        passedBytes = s.passedBytes();
    }

    /** Nothing waits for it, and what a crash loses is read again. */
    private void save(long now) {
        savedNs = now;
        long ms = Hlc.toUnixMillis(context.host().hlcNow());
        ScrubReport r = report;
        byte[] what =
                (r.isInPass() + " " + r.passes() + " " + r.total() + " " + r.countedCorruptions()).getBytes(UTF_8);
        if (Arrays.equals(what, saved) || r.equals(ScrubReport.NONE)) return;
        saved = what;
        StagedOp op = new StagedOp(false);
        op.batch()
                .put(
                        Keys.scrub(shard.pool()),
                        tally.save(now, ms, passedBytes, at).encode());
        context.turns().stage(op, fault -> {});
    }

    /** All is in its place, or is here while others are filled. */
    private boolean mayScrub() {
        PoolTarget me = shard.me();
        return !shard.isRebuilding() || me != null && me.state() == TargetState.UPIN;
    }

    private boolean isLeaving() {
        PoolTarget me = shard.me();
        return me != null && me.state() == TargetState.DRAIN;
    }

    private void tick(long now) {
        // a rebuild needs the device as clients do
        boolean isMoving = shard.isRebuilding() && policy.mode() == ScrubPolicy.Mode.TIMED;
        pace.onTick(
                policy.mode(),
                operations.getAsLong(),
                isMoving || !context.turns().isIdle(),
                now);
        if (isReading || now - notBeforeNs < 0) return;
        if (!tally.isInPass()) {
            if (now - tally.nextNs(policy, now) < 0) return;
            tally.begin(now);
            at = Keys.records(shard.pool());
            passedBytes = 0;
        }
        goOn();
    }

    /** In this turn, or not before the next tick. */
    private void goOn() {
        boolean isWanted = policy.mode() != ScrubPolicy.Mode.OFF && tally.isInPass() && mayScrub();
        long now = context.nowNs();
        if (isReading || !isWanted || !shard.isServing()) return;
        if (!isDue(now) || !pace.mayRead(operations.getAsLong()) || isShortOfBuffers()) return;
        try {
            step();
        } finally {
            tally.worked(context.nowNs() - now);
        }
        if (!isReading && tally.isInPass()) context.loop().execute(this::goOn);
    }

    /** What is left is for those who wait for an answer. */
    private boolean isShortOfBuffers() {
        return context.buffers().usedBytes() > context.buffers().totalBytes() / 2;
    }

    /** A timed pass keeps step with its period; a tenth of that is left for what has come to it meanwhile. */
    private boolean isDue(long now) {
        if (policy.mode() != ScrubPolicy.Mode.TIMED) return true;
        double part = (now - tally.startedNs()) / (0.9 * policy.periodNs());
        double allBytes = shard.space().blob().allocator().usedBytes()
                + (double) shard.space().scm().usedBytes();
        return part >= 1 || passedBytes <= part * allBytes;
    }

    private void step() {
        try (KvCursor c = context.kv().cursor(KvRange.prefix(Keys.records(shard.pool())))) {
            c.seek(at);
            for (int i = 0; i < ENTRIES_PER_STEP; i++) {
                if (!c.next()) {
                    tally.end(context.nowNs());
                    // a short pass is over before the next moment to save
                    savedNs -= SAVE_NS;
                    return;
                }
                byte[] key = c.key();
                UUID container = Keys.containerOf(key);
                if (policy.exempt().contains(container)) {
                    at = Keys.behind(Keys.container(shard.pool(), container));
                    c.seek(at);
                    continue;
                }
                at = Arrays.copyOf(key, key.length + 1);
                look(key, c.value());
                if (isReading || !pace.mayRead(operations.getAsLong())) return;
            }
        }
    }

    private void look(byte[] key, byte[] value) {
        VosRecord r;
        try {
            r = VosRecord.decode(key, value);
        } catch (FaultException e) {
            pace.spend(value.length);
            tally.corrupted();
            shard.onDamagedEntry(context, e.fault());
            return;
        }
        long bytes = r.scmBytes() + (r.isOnDevice() ? blocks(r.length()) : 0);
        passedBytes += bytes;
        pace.spend(bytes);
        // each is told of once
        if (r.isPunch() || shard.damaged().isKnown(key)) return;
        if (r.isLost()) shard.onUnreadable(context, r);
        else if (!r.isSound(shard.space().blob().sizeBytes())) onCorrupted(r, "a record contradicts itself");
        else if (r.isOnDevice()) read(r, value);
        else verify(r);
    }

    private static long blocks(long lengthBytes) {
        return (lengthBytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    private void verify(VosRecord r) {
        boolean isIntact = VosWriter.crc(ByteBuffer.wrap(r.inline())) == r.crc32c();
        tally.verified(1, r.length());
        if (!isIntact) onCorrupted(r, "stored bytes are damaged");
    }

    private void read(VosRecord r, byte[] value) {
        isReading = true;
        RecordRead.start(shard.space().blob(), r, 0, r.length(), context.buffers(), (v, f) -> {
            if (v != null) v.owner().close();
            context.loop().execute(() -> onRead(r, value, f));
        });
    }

    private void onRead(VosRecord r, byte[] value, @Nullable Fault fault) {
        isReading = false;
        boolean isDamage = fault != null && fault.code() == FaultCode.CSUM;
        boolean isBadBlock = fault != null && RecordRead.isBadBlock(fault);
        if (fault != null && !isDamage && !isBadBlock) {
            // no buffer now, or the whole device is out: the same one again later
            at = r.key();
            passedBytes -= r.scmBytes() + blocks(r.length());
            notBeforeNs = context.nowNs() + PAUSE_NS;
            return;
        }
        if (!isBadBlock) tally.verified(Math.max(1, r.chunkCrcs().length), r.length());
        // overwritten, deleted or repaired meanwhile: nobody needs these bytes
        if (fault != null && Arrays.equals(value, context.kv().get(r.key()))) {
            if (isDamage) onCorrupted(r, "stored bytes are damaged");
            else shard.onUnreadable(context, r);
        }
        goOn();
    }

    /** Of what nobody can see any more nothing is told: it is dropped soon, and would be found in each pass until then. */
    private void onCorrupted(VosRecord r, String what) {
        if (!GroupReader.isVisible(context.kv(), r, context.host().hlcNow(), shard.dtx())) return;
        tally.corrupted();
        shard.onDamage(context, r, Fault.of(FaultCode.CSUM, "%s, found by the scrubber", what));
    }
}
