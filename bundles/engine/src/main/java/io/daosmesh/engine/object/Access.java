package io.daosmesh.engine.object;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.time.Hlc;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who may do what at which map version. Owner: target loop. */
final class Access {
    /** Requests of one shard that may wait for a map or an outcome. */
    static final int PARKED_MAX = 256;
    /** Of one asker: three greedy ones leave room for others. */
    static final int PARKED_OF_ASKER_MAX = PARKED_MAX / 4;
    /** Longest wait for a newer map or an open outcome. */
    static final long PARK_NS = 2_000_000_000L;

    private final Env env;
    /** Who has sent the request at work; null for the engine itself. */
    private @Nullable Object asker;

    Access(Env env) {
        this.env = env;
    }

    void setAsker(@Nullable Object who) {
        asker = who;
    }

    /** Parks a request that knows a newer map; true if it was taken care of. */
    boolean waitsForMap(PoolShard s, int version, Runnable retry, java.util.function.Consumer<Fault> refuse) {
        if (version <= s.mapVersion()) return false;
        Fault late = Fault.of(FaultCode.AGAIN, "this target waits for pool map version %d", version);
        // parked first: only an answer to a question that was asked later tells of it
        if (park(s, new Waiting(null, version, retry, () -> refuse.accept(late)), refuse))
            env.host().needMap(s.pool(), version);
        return true;
    }

    /** @param scope waits for this scope's outcome; null = for a map of {@code mapVersion} */
    record Waiting(io.daosmesh.engine.vos.@Nullable ByteKey scope, int mapVersion, Runnable retry, Runnable giveUp) {}

    /** False if it was refused. */
    boolean park(PoolShard s, Waiting w, java.util.function.Consumer<Fault> refuse) {
        Object who = asker;
        boolean isGreedy = who != null
                && s.parked.stream().filter(p -> who.equals(p.asker())).count() >= PARKED_OF_ASKER_MAX;
        if (isGreedy || s.parked.size() >= PARKED_MAX) {
            refuse.accept(
                    isGreedy
                            ? Fault.of(FaultCode.BUSY, "%d requests of this peer wait already", PARKED_OF_ASKER_MAX)
                            : Fault.of(FaultCode.BUSY, "%d requests wait already", PARKED_MAX));
            return false;
        }
        Runnable retry = () -> {
            asker = who;
            w.retry.run();
            asker = null;
        };
        s.parked.add(new PoolShard.Parked(w, env.nowNs(), who, retry, refuse));
        return true;
    }

    /** The shard has a newer map. */
    void onMap(PoolShard s) {
        s.parked.removeIf(p -> {
            if (p.waiting().scope() != null || p.waiting().mapVersion() > s.mapVersion()) return false;
            env.loop().execute(p.retry());
            return true;
        });
    }

    /**
     * The pool service had no newer map than this version at some moment after the given one: who came before with a newer one
     * waits for something that there is not.
     */
    void onNewestMap(PoolShard s, int version, long askedNs) {
        List<PoolShard.Parked> liars = s.parked.stream()
                .filter(p ->
                        p.waiting().scope() == null && p.waiting().mapVersion() > version && p.parkedNs() - askedNs < 0)
                .toList();
        s.parked.removeAll(liars);
        Fault f = Fault.of(FaultCode.STALE, "the pool service has made no such map");
        liars.forEach(
                p -> p.refuse().accept(f.with("have", p.waiting().mapVersion()).with("need", version)));
    }

    static void giveUpAll(PoolShard s) {
        List<PoolShard.Parked> all = List.copyOf(s.parked);
        s.parked.clear();
        all.forEach(p -> p.waiting().giveUp().run());
    }

    void onTick(PoolShard s) {
        long nowNs = env.nowNs();
        s.parked.removeIf(p -> {
            if (nowNs - p.parkedNs() < PARK_NS) return false;
            p.waiting().giveUp().run();
            return true;
        });
    }

    /** Null if the version is this shard's own. */
    static @Nullable Fault stale(PoolShard s, int version) {
        if (version == s.mapVersion()) return null;
        return Fault.of(FaultCode.STALE).with("have", version).with("need", s.mapVersion());
    }

    /** Null if this shard serves at all, and the container is there. */
    static @Nullable Fault refusal(PoolShard s, ShardAddress a) {
        Fault f = s.refusal();
        return f == null ? s.destroyed.refusal(a.container()) : f;
    }

    /** Null if this target leads the group and may not be cut off. */
    @Nullable
    Fault writer(PoolShard s, ShardAddress a) {
        Fault f = leader(s, a);
        return f == null ? majority() : f;
    }

    /** Null if this target leads the group by its map. */
    @Nullable
    Fault leader(PoolShard s, ShardAddress a) {
        Fault f = refusal(s, a);
        if (f != null) return f;
        ShardGroup g = s.group(a.oid(), a.group());
        if (!g.isAvailable()) {
            return Fault.of(FaultCode.DATA_LOSS, "all replicas of object %s, group %d are out", a.oid(), a.group())
                    .with("map_version", s.mapVersion());
        }
        if (g.leader() != s.myId()) {
            return Fault.of(FaultCode.STALE, "this target does not lead the group")
                    .with("have", a.mapVersion())
                    .with("need", s.mapVersion())
                    .with("leader", s.target(g.leader()).rank());
        }
        return null;
    }

    /** A settled member may serve a read at an epoch that the leader has given. */
    @Nullable
    Fault settled(PoolShard s, ShardAddress a, long epoch) {
        Fault f = refusal(s, a);
        if (f != null) return f;
        if (env.host().hlcNow() - epoch > Hlc.fromNanos(Aggregation.READ_AGE_NS))
            return Fault.of(FaultCode.AGAIN, "the epoch is too old to be read at: ask the leader for a new one");
        if (!s.group(a.oid(), a.group()).settled().contains(s.myId()))
            return Fault.of(FaultCode.STALE, "this target has no settled replica of the group")
                    .with("have", a.mapVersion())
                    .with("need", s.mapVersion());
        return majority();
    }

    /** Null if this target takes part in writes of the group. */
    @Nullable
    Fault member(PoolShard s, ShardAddress a) {
        Fault f = refusal(s, a);
        if (f != null) return f;
        List<Integer> members = s.group(a.oid(), a.group()).members();
        if (members.contains(s.myId())) return null;
        return Fault.of(FaultCode.STALE, "this target is no member of the group")
                .with("have", a.mapVersion())
                .with("need", s.mapVersion());
    }

    @Nullable
    Fault majority() {
        return env.host().hasMajority()
                ? null
                : Fault.of(FaultCode.AGAIN, "this rank has lost contact with the majority")
                        .with("state", "isolated");
    }
}
