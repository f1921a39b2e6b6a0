package io.daosmesh.engine.read;

import io.daosmesh.engine.lease.LeadReads;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.VosLatencies;
import io.daosmesh.engine.vos.ArraySearch;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Fragment;
import io.daosmesh.engine.vos.GroupReader;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordRead;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Fetches: looked up on the target loop, bytes read and verified on device threads. Bytes of a single extent go from the
 * device's buffer to the network without a copy.
 */
public final class Reads {
    /** Entries of the index looked at for one fetch in one turn of the loop: some milliseconds. */
    static final int TURN_VISITS = 4_096;
    /** Fetches that need a further turn; more are refused. */
    private static final int PARKED_MAX = 64;
    /** Longest search: with {@link Access#READ_AGE_NS} less than the age at which aggregation may drop what is read. */
    private static final long FIND_NS = 1_500_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final LeadReads lead;
    private final HotReads hot;
    private final VosLatencies latencies;
    private int parked;

    public Reads(
            TargetContext context,
            PoolShard shard,
            Access access,
            LeadReads lead,
            HotReads hot,
            VosLatencies latencies) {
        this.hot = hot;
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.lead = lead;
        this.latencies = latencies;
    }

    /** A fetch goes on in a further turn. */
    public boolean isSearching() {
        return parked > 0;
    }

    /** A client's fetch; the answer comes on the loop or on a device thread. */
    public void fetch(FetchRequest r, Answer<Fetched> answer) {
        fetch(r, false, answer);
    }

    private void fetch(FetchRequest r, boolean isConfirmed, Answer<Fetched> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        access.at(a, answer::refuse, () -> {
            byte[] dkey = r.getDkey().toByteArray();
            check(a, dkey, r.getValuesList());
            boolean isLeaders = r.getEpoch() == 0 && !(r.getAnyReplica() && access.isLedElsewhere(a));
            // with an epoch from the leader any settled replica can answer: it has all that was acknowledged before
            if (r.getEpoch() != 0) Access.allow(access.settled(a, r.getEpoch()));
            else if (waits(a, isLeaders, isConfirmed, c -> fetch(r, c, answer), answer)) return;
            long epoch = r.getEpoch() == 0 ? context.host().hlcNow() : r.getEpoch();
            byte[] group = a.groupPrefix();
            for (byte[] scope : List.of(Keys.under(group, dkey), Keys.punches(group))) {
                if (isLeaders ? !shard.dtx().hasOrphans(scope) : !isOpen(scope, epoch)) continue;
                // a new leader does not know yet whether an old one has acknowledged it: the reader tries again
                if (isLeaders) throw undecided().asException();
                // a refusal would send the reader back to the leader, which may not answer. The outcome is on its way
                access.waitForOutcome(scope, () -> fetch(r, isConfirmed, answer), answer::refuse, undecided());
                return;
            }
            shard.counters().fetches.increment();
            new Finding(a, r, epoch, !isLeaders && r.getEpoch() == 0, answer).turn();
        });
    }

    private boolean waits(
            ShardAddress a, boolean isLeaders, boolean isConfirmed, Consumer<Boolean> retry, Answer<Fetched> answer) {
        return isLeaders
                ? lead.waits(a, isConfirmed, retry, answer::refuse)
                : lead.waitsForWord(a, isConfirmed, retry, answer::refuse);
    }

    /** The leader may have acknowledged an update that is prepared here: the reader waits for its outcome. */
    private boolean isOpen(byte[] scope, long epoch) {
        return shard.dtx().epochs(scope).stream().anyMatch(e -> e <= epoch);
    }

    static Fault undecided() {
        return Fault.of(FaultCode.INPROGRESS, "an update of the key is being settled");
    }

    /** Bytes {@code from} to {@code to} of a record belong at {@code at} of the reply. */
    private record Part(VosRecord record, long from, long to, int at) {}

    /** Length, version of a single value and, where it is known already, checksum of a value of the reply. */
    private record Found(
            ValueMessage asked,
            long length,
            boolean isAbsent,
            @Nullable Integer crc,
            long version) {}

    /** Refuses what no retry can make right, before anything is looked at: INVAL, KEY2BIG, REC2BIG. */
    private static void check(ShardAddress a, byte[] dkey, List<ValueMessage> asked) {
        WriteOp.checkKey(dkey);
        if (Placement.groupOf(a.oid(), dkey) != a.group())
            throw Fault.of(FaultCode.INVAL, "the dkey does not belong to group %d", a.group())
                    .asException();
        if (asked.size() > WriteOp.VALUES_MAX)
            throw Fault.of(FaultCode.INVAL, "%d values in one request, at most %d", asked.size(), WriteOp.VALUES_MAX)
                    .asException();
        ValueRules.check(ValueRules.Use.FETCH, asked);
        for (ValueMessage v : asked) {
            WriteOp.checkKeyLength(v.getAkey().size());
            if (v.getKind() != 0 && v.getLength() > VosWriter.VALUE_BYTES_MAX)
                throw Fault.of(FaultCode.REC2BIG, "a fetch of at most %d bytes", VosWriter.VALUE_BYTES_MAX)
                        .asException();
        }
    }

    /** Finds the records of one fetch, in as many turns as it takes: what is seen is decided in the first one. */
    private final class Finding {
        private final ShardAddress address;
        private final FetchRequest request;
        private final long epoch;
        private final boolean isElsewhere;
        private final Answer<Fetched> answer;
        private final List<Part> parts = new ArrayList<>();
        private final List<Found> found;
        private final long begun = context.nowNs();
        private long total;
        private @Nullable ArraySearch search;
        /** What was not committed in one of the turns, by scope; null in the first one, which asks the table itself. */
        private @Nullable Map<ByteKey, Set<Long>> hidden;

        private long generation;
        /** When it began to look, see {@link VosWriter#replaceCount}. */
        private long replaceCount;

        /** @param isElsewhere another target leads, and gives epochs of its own clock */
        Finding(ShardAddress address, FetchRequest request, long epoch, boolean isElsewhere, Answer<Fetched> answer) {
            this.isElsewhere = isElsewhere;
            this.address = address;
            this.request = request;
            this.epoch = epoch;
            this.answer = answer;
            this.found = new ArrayList<>(request.getValuesCount());
            this.replaceCount = shard.writer().replaceCount();
        }

        void turn() {
            boolean isDone;
            byte[] dkey = request.getDkey().toByteArray();
            try (GroupReader r = GroupReader.within(context.kv(), address.groupPrefix(), dkey, epoch, this::hidden)) {
                r.at(dkey);
                if (hidden != null) beginAnewIfReplaced();
                isDone = find(r);
                if (!isDone) park();
            } catch (FaultException e) {
                end(() -> answer.refuse(e.fault()));
                return;
            }
            if (isDone) end(this::gather);
            else context.loop().execute(this::again);
        }

        /** What was ahead of the search may lie behind it now. It is what it was, in another place. */
        private void beginAnewIfReplaced() {
            VosWriter writer = shard.writer();
            if (!writer.isReplacing() && writer.replaceCount() == replaceCount) return;
            replaceCount = writer.replaceCount();
            parts.clear();
            found.clear();
            total = 0;
            search = null;
        }

        private Set<Long> hidden(byte[] scope) {
            Set<Long> open = shard.dtx().epochs(scope);
            Map<ByteKey, Set<Long>> before = hidden;
            if (before == null) return open;
            Set<Long> all = before.computeIfAbsent(new ByteKey(scope), k -> new HashSet<>());
            all.addAll(open);
            return all;
        }

        /** False when the turn has done enough. */
        private boolean find(GroupReader r) {
            while (found.size() < request.getValuesCount()) {
                ValueMessage v = request.getValues(found.size());
                int left = TURN_VISITS - r.visited();
                if (left <= 0) return false;
                if (v.getKind() == 0) {
                    add(single(r, v, total, parts));
                    continue;
                }
                ArraySearch s = search;
                if (s == null) s = r.search(v.getAkey().toByteArray(), v.getOffset(), v.getLength());
                search = s;
                if (!r.step(s, left)) return false;
                search = null;
                add(array(s.range(), v, total, parts));
            }
            return true;
        }

        private void add(Found f) {
            found.add(f);
            total += f.length;
            if (total > VosWriter.VALUE_BYTES_MAX)
                throw Fault.of(FaultCode.REC2BIG, "a reply carries at most %d bytes", VosWriter.VALUE_BYTES_MAX)
                        .asException();
        }

        /** Until the next turn: what was found keeps its place on the device. */
        private void park() {
            if (context.nowNs() - begun > FIND_NS)
                throw tooMuch("longer than %d ms", FIND_NS / 1_000_000).asException();
            if (hidden != null) return;
            // its clock may be ahead of the leader's: what is updated from now on may have an older epoch
            if (isElsewhere)
                throw Fault.of(FaultCode.BUSY, "finding the extents of a range takes more than one turn")
                        .remedy("ask the leader")
                        .asException();
            if (parked == PARKED_MAX)
                throw tooMuch("while %d others do", PARKED_MAX).asException();
            parked++;
            generation = shard.space().blob().allocator().beginRead();
            hidden = new HashMap<>();
            byte[] group = address.groupPrefix();
            hidden(Keys.punches(group));
            hidden(Keys.under(group, request.getDkey().toByteArray()));
        }

        private Fault tooMuch(String what, long number) {
            return Fault.of(FaultCode.BUSY, "finding the extents of a range takes " + what, number)
                    .remedy("fetch fewer bytes at once, or try again when aggregation has dropped old versions");
        }

        private void again() {
            Fault f = access.stale(address.mapVersion());
            if (f == null) f = access.refusal(address);
            Fault refusal = f;
            if (refusal == null) turn();
            else end(() -> answer.refuse(refusal));
        }

        private void end(Runnable last) {
            boolean wasParked = hidden != null;
            try {
                last.run();
            } finally {
                if (wasParked) {
                    parked--;
                    shard.space().blob().allocator().endRead(generation);
                }
            }
        }

        private void gather() {
            latencies.fetch().record(context.nowNs() - begun, total);
            shard.counters().fetchBytes.add(total);
            // what took several turns may be older than what a further one would find
            CachedValue kept = hidden == null ? hot.note(address, request, (int) total) : null;
            Plan plan = new Plan(parts, (int) total, epoch, shard.mapVersion(), kept);
            new Gather(context, shard, found, plan, answer).start();
        }
    }

    private static Found single(GroupReader r, ValueMessage v, long at, List<Part> parts) {
        VosRecord record = r.single(v.getAkey().toByteArray());
        if (record == null) return new Found(v, 0, true, null, 0);
        if (record.length() > 0) parts.add(new Part(record, 0, record.length(), (int) at));
        return new Found(v, record.length(), false, record.crc32c(), record.epoch());
    }

    private static Found array(GroupReader.ArrayRange range, ValueMessage v, long at, List<Part> parts) {
        Integer crc = null;
        for (Fragment f : range.fragments()) {
            VosRecord record = f.record();
            parts.add(new Part(record, f.from() - record.offset(), f.to() - record.offset(), (int)
                    (at + f.from() - v.getOffset())));
            boolean isWhole = f.length() == record.length() && f.length() == range.length();
            if (isWhole) crc = record.crc32c();
        }
        return new Found(v, range.length(), range.isAbsent(), crc, 0);
    }

    /** @param kept takes a copy; null = nobody does */
    private record Plan(
            List<Part> parts,
            int totalBytes,
            long epoch,
            int mapVersion,
            @Nullable CachedValue kept) {}

    /** Collects the bytes of one reply; its parts complete on device threads. */
    private static final class Gather {
        private final TargetContext context;
        private final PoolShard shard;
        private final List<Found> found;
        private final Plan plan;
        private final Answer<Fetched> answer;
        private final AtomicInteger pending = new AtomicInteger(1);
        private final AtomicReference<@Nullable Fault> fault = new AtomicReference<>();
        private ByteBuffer out = ByteBuffer.allocate(0);
        private Runnable release = () -> {};

        Gather(TargetContext context, PoolShard shard, List<Found> found, Plan plan, Answer<Fetched> answer) {
            this.context = context;
            this.shard = shard;
            this.found = found;
            this.plan = plan;
            this.answer = answer;
        }

        void start() {
            if (isOneExtent()) {
                Part p = plan.parts.get(0);
                pending.incrementAndGet();
                read(p, v -> {
                    out = v.bytes();
                    release = v.owner()::close;
                });
            } else if (plan.totalBytes > 0) {
                try {
                    gather();
                } catch (FaultException e) {
                    fault.compareAndSet(null, e.fault());
                }
            }
            onPart();
        }

        private boolean isOneExtent() {
            if (plan.parts.size() != 1) return false;
            Part p = plan.parts.get(0);
            return p.record.isOnDevice() && p.to - p.from == plan.totalBytes;
        }

        private void gather() {
            boolean anyOnDevice = plan.parts.stream().anyMatch(p -> p.record.isOnDevice());
            if (anyOnDevice || plan.totalBytes > VosRecord.CHUNK_BYTES) {
                BufferPool.Buffer buffer = context.buffers().take(plan.totalBytes);
                release = buffer::close;
                out = buffer.bytes().slice(0, plan.totalBytes);
                clear(out);
            } else {
                out = ByteBuffer.allocate(plan.totalBytes);
            }
            for (Part p : plan.parts) {
                if (p.record.isOnDevice()) {
                    pending.incrementAndGet();
                    read(p, v -> {
                        out.put(p.at, v.bytes(), 0, v.bytes().remaining());
                        v.owner().close();
                    });
                } else {
                    putInline(p);
                }
            }
        }

        private void putInline(Part p) {
            byte[] bytes = p.record.inline();
            if (p.record.isLost()) {
                shard.onUnreadable(context, p.record);
                fault.compareAndSet(null, elsewhere(Fault.of(FaultCode.CSUM, "no copy of the value can be read")));
                return;
            }
            if (VosWriter.crc(ByteBuffer.wrap(bytes)) != p.record.crc32c()) {
                damaged(p.record, Fault.of(FaultCode.CSUM, "stored bytes are damaged"));
                return;
            }
            out.put(p.at, bytes, (int) p.from, (int) (p.to - p.from));
        }

        private static void clear(ByteBuffer b) {
            int i = 0;
            for (; i + 8 <= b.capacity(); i += 8) b.putLong(i, 0);
            for (; i < b.capacity(); i++) b.put(i, (byte) 0);
        }

        private void read(Part p, Consumer<RecordRead.Verified> then) {
            RecordRead.start(shard.space().blob(), p.record, p.from, p.to, context.buffers(), (v, f) -> {
                if (v != null) then.accept(v);
                else if (f != null && f.code() == FaultCode.CSUM) damaged(p.record, f);
                else if (f != null) failed(p.record, f);
                onPart();
            });
        }

        private void failed(VosRecord record, Fault f) {
            fault.compareAndSet(null, elsewhere(f));
            if (RecordRead.isBadBlock(f)) shard.onUnreadable(context, record);
        }

        /** With this epoch another settled replica can answer the same fetch. */
        private Fault elsewhere(Fault f) {
            return f.code().retry() == FaultCode.Retry.OTHER_REPLICA
                    ? f.with("epoch", plan.epoch).with("rank", context.rank())
                    : f;
        }

        private void damaged(VosRecord record, Fault f) {
            fault.compareAndSet(null, elsewhere(f));
            shard.onDamage(context, record, f);
        }

        private void onPart() {
            if (pending.decrementAndGet() > 0) return;
            Fault f = fault.get();
            if (f != null) {
                release.run();
                answer.refuse(f);
                return;
            }
            List<ValueMessage> values = new ArrayList<>(found.size());
            int at = 0;
            for (Found v : found) {
                ValueMessage.Builder b = v.asked.toBuilder()
                        .setLength(v.length)
                        .setAbsent(v.isAbsent)
                        .setVersion(v.version);
                int n = (int) v.length;
                Integer crc = v.crc;
                if (n > 0) b.setCrc32C(crc != null ? crc : VosWriter.crc(out.slice(at, n)));
                values.add(b.build());
                at += n;
            }
            CachedValue kept = plan.kept;
            if (kept != null) kept.fill(values, out);
            answer.answer(new Fetched(values, out, release, plan.epoch, plan.mapVersion), null);
        }
    }
}
