package io.daosmesh.itests.sim.pool;

import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.scan.Scan;
import io.daosmesh.rebuild.scan.Work;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A rank's share of a rebuild: the shipped scan, pull queue and target, joined the way the shipped {@code RankSession} joins
 * them. Owner: the loop of its engine.
 */
final class RankMove {
    private static final long SEND_MAX_NS = Timeline.ms(5_000);
    private static final long RETRY_NS = Timeline.ms(200);

    private final EngineLife life;
    private @Nullable Run run;

    RankMove(EngineLife life) {
        this.life = life;
    }

    /** One session. */
    private static final class Run {
        final Session session;
        final PullQueue queue = new PullQueue();
        final Set<Work> cleared = new HashSet<>();
        final Deque<List<Work>> toSend = new ArrayDeque<>();
        final long[] batches = new long[World.RANKS];

        @Nullable
        PoolMap map;

        long stableEpoch;
        boolean isRead;
        boolean isSending;
        long found;
        long pumpAtNs = Long.MAX_VALUE;

        Run(Session session) {
            this.session = session;
        }

        PoolMap map() {
            PoolMap m = map;
            if (m == null) throw new IllegalStateException("the scan has not started");
            return m;
        }

        boolean isScanDone() {
            return isRead && toSend.isEmpty() && !isSending;
        }
    }

    private record Records(List<MigratedRecordMessage> records, ByteBuffer data, byte @Nullable [] next) {}

    void onTick() {
        Run r = run;
        if (r == null) return;
        if (!r.toSend.isEmpty() && !r.isSending) sendNext(r);
        if (life.nowNs() >= r.pumpAtNs) {
            r.pumpAtNs = Long.MAX_VALUE;
            pump(r);
        }
    }

    void prepare(Session s, Answer<Long> answer) {
        Run running = run;
        if (running == null || !running.session.equals(s)) {
            if (running != null && running.session.isNewerThan(s)) {
                answer.refuse(Fault.of(FaultCode.STALE, "a newer session runs here"));
                return;
            }
            run = new Run(s);
        }
        life.target.fence(World.POOL, s.version(), answer);
    }

    private @Nullable Run of(Session s) {
        Run r = run;
        return r != null && r.session.equals(s) ? r : null;
    }

    private static Fault unknown() {
        return Fault.of(FaultCode.NONEXIST, "no such session");
    }

    void scan(Session s, long stableEpoch, Answer<Boolean> answer) {
        Run r = of(s);
        PoolMap map = life.map;
        if (r == null) {
            answer.refuse(unknown());
        } else if (map == null || map.version() < s.version()) {
            life.needMap(World.POOL, s.version());
            answer.refuse(Fault.of(FaultCode.AGAIN, "the map has not come yet"));
        } else if (map.version() > s.version()) {
            answer.refuse(Fault.of(FaultCode.STALE, "an older map"));
        } else {
            if (r.map == null) {
                r.map = map;
                r.stableEpoch = stableEpoch;
                List<PoolTarget> scanned = Scan.scanned(map, life.node.rank);
                if (scanned.isEmpty()) r.isRead = true;
                else readPage(r, scanned.get(0).id(), new byte[0]);
                pump(r);
            }
            answer.answer(Boolean.TRUE, null);
        }
    }

    private void readPage(Run r, int self, byte[] anchor) {
        life.target.scan(World.POOL, anchor, (page, fault) -> {
            if (page == null) {
                life.world.note("scan: " + (fault == null ? "" : fault.message()));
                return;
            }
            List<Work> works = new ArrayList<>();
            for (Enumerator.StoredOid o : page.items()) works.addAll(Scan.works(r.map(), self, o.container(), o.oid()));
            for (int rank = 0; rank < World.RANKS; rank++) {
                int to = rank;
                List<Work> ofRank = works.stream()
                        .filter(w -> r.map().target(w.destination()).rank() == to)
                        .toList();
                if (!ofRank.isEmpty()) r.toSend.add(ofRank);
            }
            if (page.isEnd()) r.isRead = true;
            else life.execute(() -> readPage(r, self, page.anchor()));
        });
    }

    /** The same batch until it is acknowledged. */
    private void sendNext(Run r) {
        List<Work> works = r.toSend.getFirst();
        int rank = r.map().target(works.get(0).destination()).rank();
        long batch = r.batches[rank] + 1;
        r.isSending = true;
        life.<Boolean>call(
                rank,
                SEND_MAX_NS,
                (other, back) ->
                        other.execute(() -> other.rebuild.accept(r.session, life.node.rank, batch, works, back)),
                (ok, fault) -> {
                    r.isSending = false;
                    if (fault != null) return;
                    r.batches[rank] = batch;
                    r.toSend.removeFirst();
                    r.found += works.size();
                });
    }

    private void accept(Session s, int fromRank, long batch, List<Work> works, Answer<Boolean> answer) {
        Run r = of(s);
        if (r == null) {
            answer.refuse(unknown());
            return;
        }
        r.queue.accept(fromRank, batch, works);
        answer.answer(Boolean.TRUE, null);
        pump(r);
    }

    void status(Session s, Answer<RankStatus> answer) {
        Run r = of(s);
        if (r == null) {
            answer.refuse(unknown());
            return;
        }
        PullQueue q = r.queue;
        boolean isFailed = q.status() != 0;
        answer.answer(
                new RankStatus(
                        r.isScanDone() && !isFailed,
                        q.isDone() && !isFailed,
                        r.found,
                        q.received(),
                        q.pulled(),
                        q.records(),
                        q.bytes(),
                        q.status(),
                        q.detail()),
                null);
    }

    private void pump(Run r) {
        if (r.map == null || run != r) return;
        for (Optional<PullQueue.Attempt> a = r.queue.next(); a.isPresent(); a = r.queue.next()) {
            PullQueue.Attempt attempt = a.get();
            Work w = attempt.work();
            if (r.cleared.contains(w)) {
                pull(r, attempt, new byte[0], new long[2]);
                continue;
            }
            var address = new ShardAddress(World.POOL, w.container(), w.oid(), w.group(), r.session.version());
            life.target.clearGroup(address, r.stableEpoch, fault -> {
                if (run != r) return;
                if (fault != null) {
                    onFailed(r, attempt, fault);
                    return;
                }
                r.cleared.add(w);
                pull(r, attempt, new byte[0], new long[2]);
            });
        }
    }

    private void onFailed(Run r, PullQueue.Attempt attempt, Fault fault) {
        life.world.note("pull: " + fault.message());
        r.queue.onPullFailed(attempt, fault);
        r.pumpAtNs = Math.min(r.pumpAtNs, life.nowNs() + RETRY_NS);
    }

    private void pull(Run r, PullQueue.Attempt attempt, byte[] from, long[] moved) {
        Work w = attempt.work();
        List<Integer> holders = Placement.group(r.map(), w.oid(), w.group()).settled();
        int source = r.map()
                .target(holders.get((holders.indexOf(w.source()) + attempt.tries()) % holders.size()))
                .rank();
        ShardAddress a = new ShardAddress(World.POOL, w.container(), w.oid(), w.group(), 0);
        life.<Records>call(
                source,
                Timeline.ms(10_000),
                (other, back) -> other.execute(() -> other.target.export(
                        a, r.stableEpoch, from, (exported, fault) -> answer(back, exported, fault))),
                (batch, fault) -> {
                    if (run != r) return;
                    if (batch == null) onFailed(r, attempt, fault == null ? unknown() : fault);
                    else store(r, attempt, batch, moved);
                });
    }

    private static void answer(Answer<Records> back, Migration.@Nullable Exported exported, @Nullable Fault fault) {
        if (exported == null) {
            back.answer(null, fault);
            return;
        }
        Records copy = new Records(exported.records(), PeersOf.copy(exported.data()), exported.next());
        exported.onDone().run();
        back.answer(copy, null);
    }

    private void store(Run r, PullQueue.Attempt attempt, Records batch, long[] moved) {
        Work w = attempt.work();
        ShardAddress a = new ShardAddress(World.POOL, w.container(), w.oid(), 0, 0);
        life.target.importBatch(a, batch.records, batch.data, fault -> {
            if (run != r) return;
            if (fault != null) {
                onFailed(r, attempt, fault);
                return;
            }
            moved[0] += batch.records.size();
            moved[1] += batch.data.remaining();
            byte[] next = batch.next;
            if (next != null) {
                pull(r, attempt, next, moved);
                return;
            }
            r.cleared.remove(w);
            r.queue.onPulled(moved[0], moved[1]);
            pump(r);
        });
    }

    void finish(Session s, boolean isAborted) {
        Run r = of(s);
        if (r == null) return;
        run = null;
        if (!isAborted) reclaim(s.version() + 1, 0);
    }

    /** What no longer belongs here by the map after the rebuild; best effort, as shipped. */
    private void reclaim(int version, int tries) {
        PoolMap map = life.map;
        if (map == null || map.version() < version) {
            if (tries < 50)
                life.world.time.after(RETRY_NS, () -> life.node.whenAwake(life, () -> reclaim(version, tries + 1)));
            return;
        }
        List<PoolTarget> own = Scan.scanned(map, life.node.rank);
        if (own.isEmpty()) return;
        life.execute(() -> life.target.scan(World.POOL, new byte[0], (page, fault) -> {
            if (page == null) return;
            for (Enumerator.StoredOid o : page.items()) {
                Set<Integer> foreign = Scan.foreignGroups(map, own.get(0).id(), o.oid());
                ShardAddress a = new ShardAddress(World.POOL, o.container(), o.oid(), 0, map.version());
                if (!foreign.isEmpty()) life.target.reclaim(a, foreign, f -> {});
            }
        }));
    }
}
