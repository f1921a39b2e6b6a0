package io.daosmesh.engine.object;

import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.time.Hlc;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
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

    /**
     * What a request waits for.
     *
     * @param scope for this scope's outcome; null = for a map of {@code mapVersion}
     * @param asker who has sent it; null = the engine itself
     */
    record Wait(
            @Nullable ByteKey scope,
            int mapVersion,
            @Nullable Object asker) {}

    static Waiting<Wait> waiting() {
        return new Waiting<>("requests", PARKED_MAX, PARK_NS);
    }

    void setAsker(@Nullable Object who) {
        asker = who;
    }

    /** Parks a request that knows a newer map; true if it was taken care of. */
    boolean waitsForMap(PoolShard s, int version, Runnable retry, Consumer<Fault> refuse) {
        if (version <= s.mapVersion()) return false;
        Supplier<Fault> late = () -> Fault.of(FaultCode.AGAIN, "this target waits for pool map version %d", version);
        // parked first: only an answer to a question that was asked later tells of it
        if (park(s, new Wait(null, version, asker), retry, refuse, late))
            env.host().needMap(s.pool(), version);
        return true;
    }

    /** Parks a request until the outcome of the open update of the scope is known; {@code late} when that takes too long. */
    void waitForOutcome(PoolShard s, byte[] scope, Runnable retry, Consumer<Fault> refuse, Fault late) {
        park(s, new Wait(new ByteKey(scope), 0, asker), retry, refuse, () -> late);
    }

    /** False if it was refused. */
    private boolean park(PoolShard s, Wait wait, Runnable retry, Consumer<Fault> refuse, Supplier<Fault> late) {
        Object who = wait.asker;
        if (who != null && s.parked.count(w -> who.equals(w.asker)) >= PARKED_OF_ASKER_MAX) {
            refuse.accept(Fault.of(FaultCode.BUSY, "%d requests of this peer wait already", PARKED_OF_ASKER_MAX));
            return false;
        }
        Runnable again = () -> {
            asker = who;
            retry.run();
            asker = null;
        };
        return s.parked.add(new Waiting.Waiter<>(wait, env.nowNs(), again, refuse, late));
    }

    /** The shard has a newer map. */
    void onMap(PoolShard s) {
        s.parked
                .take(w -> w.key().scope == null && w.key().mapVersion <= s.mapVersion())
                .forEach(w -> env.loop().execute(w.retry()));
    }

    /**
     * The pool service had no newer map than this version at some moment after the given one: who came before with a newer one
     * waits for something that there is not.
     */
    void onNewestMap(PoolShard s, int version, long askedNs) {
        Fault f = Fault.of(FaultCode.STALE, "the pool service has made no such map");
        s.parked
                .take(w -> w.key().scope == null && w.key().mapVersion > version && w.sinceNs() - askedNs < 0)
                .forEach(w ->
                        w.refuse().accept(f.with("have", w.key().mapVersion).with("need", version)));
    }

    void onTick(PoolShard s) {
        s.parked.onTick(env.nowNs());
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
