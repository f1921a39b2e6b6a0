package io.daosmesh.itests.sim.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.history.Holdings;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.space.Leftovers;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.Held;
import io.daosmesh.model.port.EngineMigration.StoredObject;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.pull.Survey;
import io.daosmesh.rebuild.scan.Scan;
import io.daosmesh.rebuild.scan.Work;
import io.daosmesh.rebuild.session.RankSession;
import io.daosmesh.rebuild.session.RankSessions;
import io.daosmesh.rebuild.session.Reclaims;
import io.daosmesh.rebuild.session.SessionEffects;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What the shipped {@code rebuild.runtime} does with sockets and threads for the shipped sessions of a rank. Owner: the loop
 * of its engine.
 */
final class RankEdge {
    private static final long SEND_MAX_NS = Timeline.ms(5_000);
    private static final long PULL_MAX_NS = Timeline.ms(10_000);

    private final EngineLife life;
    private final RankSessions sessions;
    private final Reclaims reclaims = new Reclaims((pool, version) -> reclaim(version));

    RankEdge(EngineLife life) {
        this.life = life;
        this.sessions = new RankSessions(life.node.rank);
    }

    void onTick() {
        sessions.all().forEach(s -> s.onTick(life.nowNs()));
        sessions.onTick(life.nowNs());
        reclaims.onTick(life.nowNs());
    }

    void onMap(PoolMap map) {
        boolean wasEnded = sessions.onMap(World.POOL, map.version());
        if (wasEnded && !map.needsRebuild()) reclaims.add(World.POOL, map.version(), life.nowNs());
    }

    private static <T> void answer(Answer<T> answer, Supplier<T> work) {
        T value;
        try {
            value = work.get();
        } catch (FaultException e) {
            answer.refuse(e.fault());
            return;
        }
        answer.answer(value, null);
    }

    void prepare(Session s, Answer<Long> answer) {
        try {
            sessions.admit(s, life.nowNs(), () -> new Effects(s).session);
        } catch (FaultException e) {
            answer.refuse(e.fault());
            return;
        }
        life.target.fence(World.POOL, s.version(), answer);
    }

    void scan(Session s, long stableEpoch, Answer<Boolean> answer) {
        answer(answer, () -> {
            RankSession session = sessions.heard(s, life.nowNs());
            PoolMap map = life.map;
            if (map == null || map.version() < s.version()) {
                life.needMap(World.POOL, s.version());
                throw Fault.of(FaultCode.AGAIN, "the map has not come yet").asException();
            }
            session.startScan(map, stableEpoch, life.nowNs());
            return true;
        });
    }

    private void accept(Session s, int fromRank, RankSession.Batch batch, Answer<Boolean> answer) {
        answer(answer, () -> {
            sessions.of(s).accept(fromRank, batch.number(), batch.works(), life.nowNs());
            return true;
        });
    }

    void status(Session s, Answer<RankStatus> answer) {
        answer(answer, () -> sessions.heard(s, life.nowNs()).status());
    }

    void finish(Session s, boolean isAborted) {
        sessions.finish(s);
        if (!isAborted) reclaims.add(World.POOL, s.version() + 1, life.nowNs());
    }

    private record Records(List<MigratedRecordMessage> records, ByteBuffer data, byte @Nullable [] next) {}

    /** Of one session. A rank of the simulation has one target. */
    private final class Effects implements SessionEffects {
        private final RankSession session;
        private byte[] anchor = new byte[0];
        private boolean isScanEnd;
        private boolean isCanceled;

        Effects(Session s) {
            session = new RankSession(s, life.node.rank, this);
        }

        @Override
        public void startScan(List<PoolTarget> targets) {
            isScanEnd = targets.isEmpty();
        }

        @Override
        public void readNext() {
            life.execute(() -> {
                if (isScanEnd) session.onScanEnd();
                else life.target.scan(World.POOL, anchor, this::onPage);
            });
        }

        private void onPage(Enumerator.@Nullable Page<Enumerator.StoredOid> page, @Nullable Fault fault) {
            if (page == null) {
                session.onScanFailed(known(fault));
                return;
            }
            anchor = page.anchor();
            isScanEnd = page.isEnd();
            int self = session.map().ofRank(life.node.rank).get(0).id();
            session.onStored(
                    self,
                    page.items().stream()
                            .map(o -> new StoredObject(o.container(), o.oid()))
                            .toList(),
                    life.nowNs());
        }

        @Override
        public void send(RankSession.Batch batch) {
            life.<Boolean>call(
                    batch.rank(),
                    SEND_MAX_NS,
                    (other, back) ->
                            other.execute(() -> other.rebuild.accept(session.session(), life.node.rank, batch, back)),
                    (ok, fault) -> {
                        if (fault == null) session.onSent(batch);
                        else session.onSendFailed(batch, fault, life.nowNs());
                    });
        }

        @Override
        public void survey(List<Survey.Arrival> works) {
            List<ShardAddress> groups =
                    works.stream().map(a -> address(a.work())).toList();
            life.execute(() -> life.target.held(World.POOL, groups, (held, fault) -> {
                if (held == null) session.onSurveyFailed(life.nowNs());
                else ask(works, groups, held);
            }));
        }

        private void ask(List<Survey.Arrival> works, List<ShardAddress> groups, List<Holdings.Held> held) {
            List<Integer> since = held.stream().map(Holdings.Held::asOf).toList();
            int source = session.map().target(works.get(0).work().source()).rank();
            life.<List<Migration.Change>>call(
                    source,
                    SEND_MAX_NS,
                    (other, back) -> other.execute(() -> other.target.changes(World.POOL, groups, since, back)),
                    (changes, fault) -> {
                        if (isCanceled) return;
                        if (changes == null) session.onSurveyFailed(life.nowNs());
                        else session.onSurveyed(missing(works, held, changes), life.nowNs());
                    });
        }

        private List<Change> missing(
                List<Survey.Arrival> works, List<Holdings.Held> held, List<Migration.Change> changes) {
            List<Change> missing = new ArrayList<>();
            for (int i = 0; i < changes.size(); i++) {
                Migration.Change c = changes.get(i);
                Change since = new Change(c.isGone(), c.isAll(), wire(c.dkeys()));
                Held here = new Held(held.get(i).asOf(), wire(held.get(i).dkeys()));
                missing.add(works.get(i).isOwn() ? since : Survey.missing(here, since));
            }
            return missing;
        }

        private ShardAddress address(Work w) {
            int version = session.session().version();
            return new ShardAddress(World.POOL, w.container(), w.oid(), w.group(), version);
        }

        @Override
        public void clear(PullQueue.Attempt attempt, long stableEpoch) {
            Work w = attempt.work();
            life.target.clear(new Leftovers.Wanted(address(w), keys(w), stableEpoch), fault -> {
                if (fault == null) session.onCleared(attempt);
                else failed(attempt, fault);
            });
        }

        @Override
        public void fill(PullQueue.Attempt attempt) {
            Work w = attempt.work();
            life.target.filled(address(w), keys(w), fault -> {
                if (fault == null) session.onFilled(attempt, life.nowNs());
                else failed(attempt, fault);
            });
        }

        private void failed(PullQueue.Attempt attempt, Fault fault) {
            if (!isCanceled) life.world.note("pull: " + fault.message());
            session.onPullFailed(attempt, fault, life.nowNs());
        }

        @Override
        public void pull(PullQueue.Attempt attempt, Work from, long stableEpoch) {
            new Pull(this, attempt, from, stableEpoch).next(new byte[0]);
        }

        /** The loop of the engine ticks anyway. */
        @Override
        public void wakeAfter(long delayNs) {}

        @Override
        public void cancel() {
            isCanceled = true;
        }
    }

    private static List<byte[]> keys(Work w) {
        return w.dkeys().stream().map(ByteString::toByteArray).toList();
    }

    private static List<ByteString> wire(List<byte[]> keys) {
        return keys.stream().map(ByteString::copyFrom).toList();
    }

    private static Fault known(@Nullable Fault fault) {
        return fault != null ? fault : Fault.of(FaultCode.AGAIN);
    }

    /** Moves the records of one group, batch by batch. */
    private final class Pull {
        private final Effects effects;
        private final PullQueue.Attempt attempt;
        private final Work from;
        private final long stableEpoch;
        private long recordCount;
        private long byteCount;

        Pull(Effects effects, PullQueue.Attempt attempt, Work from, long stableEpoch) {
            this.effects = effects;
            this.attempt = attempt;
            this.from = from;
            this.stableEpoch = stableEpoch;
        }

        void next(byte[] at) {
            if (effects.isCanceled) return;
            int source = effects.session.map().target(from.source()).rank();
            ShardAddress a = new ShardAddress(World.POOL, from.container(), from.oid(), from.group(), 0);
            Migration.Wanted wanted =
                    new Migration.Wanted(a, keys(from), stableEpoch, attempt.isSalvage(), attempt.isFirst());
            life.<Records>call(
                    source,
                    PULL_MAX_NS,
                    (other, back) -> other.execute(() -> other.target.export(
                            wanted, at, Migration.BATCH_BYTES_MAX, (exported, fault) -> copy(back, exported, fault))),
                    (batch, fault) -> {
                        if (effects.isCanceled) return;
                        if (batch == null) effects.failed(attempt, known(fault));
                        else store(batch);
                    });
        }

        private void store(Records batch) {
            ShardAddress a = new ShardAddress(World.POOL, from.container(), from.oid(), 0, 0);
            life.target.importBatch(a, batch.records, batch.data, fault -> {
                if (fault != null) {
                    effects.failed(attempt, fault);
                    return;
                }
                recordCount += batch.records.size();
                byteCount += batch.data.remaining();
                byte[] next = batch.next;
                if (next != null) next(next);
                else effects.session.onPulled(attempt, recordCount, byteCount, life.nowNs());
            });
        }
    }

    private static void copy(Answer<Records> back, Migration.@Nullable Exported exported, @Nullable Fault fault) {
        if (exported == null) {
            back.answer(null, fault);
            return;
        }
        Records copy = new Records(exported.records(), PeersOf.copy(exported.data()), exported.next());
        exported.onDone().run();
        back.answer(copy, null);
    }

    /** What no longer belongs here by the map after the rebuild. */
    private void reclaim(int version) {
        PoolMap map = life.map;
        if (map == null || map.version() < version) {
            reclaims.onFailed(World.POOL, life.nowNs());
            return;
        }
        List<PoolTarget> own = Scan.scanned(map, life.node.rank);
        if (own.isEmpty()) {
            reclaims.onDone(World.POOL, version, life.nowNs());
            return;
        }
        int self = own.get(0).id();
        life.execute(() -> life.target.scan(World.POOL, new byte[0], (page, fault) -> {
            if (page == null) {
                reclaims.onFailed(World.POOL, life.nowNs());
                return;
            }
            List<ShardAddress> addresses = new ArrayList<>();
            List<Set<Integer>> groups = new ArrayList<>();
            for (Enumerator.StoredOid o : page.items()) {
                Set<Integer> foreign = Scan.foreignGroups(map, self, o.oid());
                if (foreign.isEmpty()) continue;
                addresses.add(new ShardAddress(World.POOL, o.container(), o.oid(), 0, map.version()));
                groups.add(foreign);
            }
            reclaim(version, addresses, groups, 0);
        }));
    }

    private void reclaim(int version, List<ShardAddress> addresses, List<Set<Integer>> groups, int at) {
        if (at == addresses.size()) {
            reclaims.onDone(World.POOL, version, life.nowNs());
            return;
        }
        life.target.reclaim(addresses.get(at), groups.get(at), fault -> {
            if (fault != null) reclaims.onFailed(World.POOL, life.nowNs());
            else reclaim(version, addresses, groups, at + 1);
        });
    }
}
