package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.fake.ManualLoop;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.engine.lease.LeaseTable;
import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.shard.Host;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.Peers;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * Five ranks, maps that follow each other fast and of which a rank sees only some, rebuilds of no time, restarts, slow and
 * lost messages: no leader reads by a map once an update of a newer one may have passed.
 */
class SkippedMapsTest {
    private static final long MS = 1_000_000L;
    private static final int RANKS = 5;
    private static final UUID POOL = new UUID(1, 1);

    private final PriorityQueue<Event> events = new PriorityQueue<>((x, y) -> Long.compare(x.atNs, y.atNs));
    private long nowNs;

    private record Event(long atNs, Runnable what) {}

    /** A read or an update that has passed, and the map it was done by. */
    private record Passed(long atNs, int version) {}

    /** A rank whose target is the real one. */
    private final class Rank implements Host, Leases, Peers {
        final int rank;
        final MemoryKvStore kv = new MemoryKvStore();
        final ManualLoop loop = new ManualLoop(kv);
        final SpaceAccount scm = new SpaceAccount(1 << 20);
        final MemoryBlob blob = new MemoryBlob(4096);
        final Hlc hlc = new Hlc(() -> Hlc.ORIGIN_MS * MS + nowNs);
        LeaseTable table;
        Target target;

        Rank(int rank) {
            this.rank = rank;
            open(List.of());
        }

        /** Anew, with what the index holds. */
        void open() {
            open(List.of(new PoolSpace(POOL, 0, scm, blob)));
        }

        private void open(List<PoolSpace> spaces) {
            table = new LeaseTable(rank, nowNs);
            TargetContext env = new TargetContext(
                    rank,
                    0,
                    kv,
                    new DirectBuffers(),
                    loop.pipeline(),
                    loop,
                    this,
                    this,
                    new DtxRoom(DtxRoom.TARGET_MAX));
            target = new Target(env, new ValueCache(new DirectBuffers()));
            target.open(spaces);
        }

        PoolShard shard() {
            return target.shard(POOL);
        }

        void adopt(PoolMap map) {
            target.onMap(map);
            loop.drain();
        }

        boolean isHeld(ObjectId oid) {
            return target.roles(POOL).former.isHeld(oid, 0);
        }

        @Override
        public long nowNs() {
            return nowNs;
        }

        @Override
        public long hlcNow() {
            return hlc.now();
        }

        @Override
        public void sawEpoch(long epoch) {
            hlc.merge(epoch);
        }

        @Override
        public void foundEpoch(long epoch) {
            hlc.merge(epoch);
        }

        @Override
        public boolean hasMajority() {
            return true;
        }

        @Override
        public Leases leases() {
            return this;
        }

        @Override
        public void awaits(UUID pool, Set<Integer> ranks) {}

        @Override
        public void needMap(UUID pool, int version) {}

        @Override
        public Fault noRoom(boolean isDelete) {
            return null;
        }

        @Override
        public void onDamage(UUID pool, Fault fault) {}

        @Override
        public void adopted(UUID pool, int mapVersion) {
            table.adopt(pool, mapVersion);
        }

        @Override
        public boolean holds(UUID pool, int mapVersion, List<Integer> ranks) {
            return table.holds(pool, mapVersion, ranks, nowNs);
        }

        @Override
        public long leftNs(UUID pool, int of, int mapVersion) {
            return table.leftNs(pool, of, mapVersion, nowNs);
        }

        @Override
        public long formerLifeLeftNs() {
            return table.formerLifeLeftNs(nowNs);
        }

        @Override
        public void confirm(UUID pool, int mapVersion, long askedNs) {}

        @Override
        public void shardWrite(int r, int t, WriteOp op, Runnable onSent, Done reply) {}

        @Override
        public void commit(int r, DtxBatchRequest request) {}

        @Override
        public void abort(int r, DtxBatchRequest request) {}

        @Override
        public void resolve(int r, DtxResolveRequest request, Answer<Integer> answer) {}

        @Override
        public void record(int r, RecordPullRequest request, Answer<ByteBuffer> answer) {}
    }

    private final class World {
        final Random random;
        final ObjectId oid;
        final List<Rank> ranks = new ArrayList<>();
        final List<PoolMap> maps = new ArrayList<>();
        final Set<Integer> fenced = new HashSet<>();
        final List<Passed> reads = new ArrayList<>();
        final List<Passed> writes = new ArrayList<>();
        int skipped;

        World(long seed) {
            random = new Random(seed);
            oid = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, seed);
            List<PoolTarget> targets = new ArrayList<>();
            for (int i = 0; i < RANKS; i++) targets.add(new PoolTarget(i, i, 0, "/" + i, TargetState.UPIN, false, 1));
            maps.add(new PoolMap(POOL, 1, targets));
            for (int i = 0; i < RANKS; i++) {
                Rank r = new Rank(i);
                ranks.add(r);
                r.target.create(new PoolSpace(POOL, 0, r.scm, r.blob), maps.get(0), 4096, f -> assertEquals(null, f));
                r.loop.drain();
            }
        }

        PoolMap newest() {
            return maps.get(maps.size() - 1);
        }

        void at(long ns, Runnable what) {
            events.add(new Event(ns, what));
        }

        long soon(int ms) {
            return nowNs + random.nextInt(ms) * MS;
        }

        void publish(PoolMap map) {
            maps.add(map);
            fenced.clear();
            for (Rank r : ranks) if (random.nextInt(3) == 0) at(soon(200), () -> r.adopt(map));
        }

        void step() {
            for (Rank r : ranks) {
                read(r);
                r.target.onTick();
                r.loop.drain();
                PoolMap newest = newest();
                int have = r.shard().mapVersion();
                // the pull behind lost pushes
                if (have < newest.version() && random.nextInt(10) == 0) {
                    if (have > 0 && have < newest.version() - 1) skipped++;
                    r.adopt(newest);
                }
            }
            for (PoolMap m : maps) write(m);
            if (random.nextInt(4) == 0) change();
            if (random.nextInt(60) == 0) ranks.get(random.nextInt(RANKS)).open();
        }

        void read(Rank r) {
            PoolShard s = r.shard();
            if (s.map() == null || s.refusal() != null) return;
            ShardGroup g = s.group(oid, 0);
            if (!g.isAvailable() || g.leader() != r.rank) return;
            LeaseTable table = r.table;
            if (table.holds(POOL, s.mapVersion(), g.members(), nowNs)) reads.add(new Passed(nowNs, s.mapVersion()));
            long asked = nowNs;
            table.due(asked).forEach((to, asks) -> {
                if (random.nextInt(5) == 0) return;
                int version = asks.get(0).mapVersion();
                at(soon(100), () -> {
                    if (!ranks.get(to).table.grant(POOL, r.rank, version, nowNs)) return;
                    at(soon(100), () -> table.onGranted(POOL, to, asked));
                });
            });
        }

        /** All members have it and none keeps it back. */
        void write(PoolMap m) {
            ShardGroup g = Placement.group(m, oid, 0);
            if (!g.isAvailable()) return;
            for (int id : g.members()) {
                Rank r = ranks.get(id);
                boolean isReady =
                        r.shard().mapVersion() == m.version() && r.shard().refusal() == null;
                if (!isReady || r.isHeld(oid)) return;
            }
            writes.add(new Passed(nowNs, m.version()));
        }

        /** The pool service changes one target, or ends a rebuild when all have passed its fence. */
        void change() {
            PoolMap m = newest();
            if (m.needsRebuild() && isFenced(m)) {
                publish(m.afterRebuild());
                return;
            }
            PoolTarget t = m.target(random.nextInt(RANKS));
            TargetState next = switch (t.state()) {
                case UPIN, UP -> TargetState.DOWN;
                case DOWNOUT, DOWN -> TargetState.UP;
                default -> t.state();
            };
            PoolMap changed = m.withStates(Set.of(t.id()), next);
            if (Placement.group(changed, oid, 0).isAvailable()) publish(changed);
        }

        boolean isFenced(PoolMap m) {
            for (Rank r : ranks) {
                if (m.target(r.rank).state().isDisabled() || fenced.contains(r.rank)) continue;
                if (r.shard().mapVersion() != m.version()) continue;
                r.target.fence(POOL, m.version(), (v, f) -> {
                    if (f == null && newest() == m) fenced.add(r.rank);
                });
            }
            for (Rank r : ranks) if (!m.target(r.rank).state().isDisabled() && !fenced.contains(r.rank)) return false;
            return true;
        }
    }

    @Test
    void shouldNeverReadByAMapOnceAnUpdateOfANewerOneMayPass() {
        long reads = 0;
        long writes = 0;
        long skipped = 0;
        for (long seed = 0; seed < 300; seed++) {
            World w = run(seed);
            reads += w.reads.size();
            writes += w.writes.size();
            skipped += w.skipped;
        }
        String counts = reads + " reads, " + writes + " updates, " + skipped + " skipped";
        assertTrue(reads > 5_000 && writes > 5_000 && skipped > 1_000, counts);
    }

    private World run(long seed) {
        events.clear();
        nowNs = 0;
        World w = new World(seed);
        for (long t = 2_000 * MS; t < 8_000 * MS; t += 40 * MS) w.at(t, w::step);
        for (Event e = events.poll(); e != null; e = events.poll()) {
            nowNs = e.atNs;
            e.what.run();
        }
        for (Passed read : w.reads)
            for (Passed write : w.writes)
                assertTrue(
                        write.version <= read.version || write.atNs >= read.atNs,
                        () -> "seed " + seed + ": read at " + read + " after " + write + describe(w, read, write));
        return w;
    }

    private static String describe(World w, Passed read, Passed write) {
        StringBuilder out = new StringBuilder();
        for (PoolMap m : w.maps)
            if (m.version() >= read.version && m.version() <= write.version)
                out.append("\n ").append(m.version()).append(' ').append(Placement.group(m, w.oid, 0));
        return out.toString();
    }
}
