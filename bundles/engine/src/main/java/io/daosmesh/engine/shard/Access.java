package io.daosmesh.engine.shard;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.time.Hlc;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Who may do what at which map version. Owner: target loop. */
public final class Access {
    /** Requests of one shard that may wait for a map or an outcome. */
    public static final int PARKED_MAX = 256;
    /** Of one asker: three greedy ones leave room for others. */
    public static final int PARKED_OF_ASKER_MAX = PARKED_MAX / 4;
    /** Longest wait for a newer map or an open outcome. */
    public static final long PARK_NS = 2_000_000_000L;

    /** A read at an older epoch could miss what has been dropped since. */
    public static final long READ_AGE_NS = 8_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final DestroyedIds destroyed;
    private final Requester asker;
    private final Waiting<Wait> parked = new Waiting<>("requests", PARKED_MAX, PARK_NS);

    /** Who has sent the request at work, whatever its pool. Owner: target loop. */
    public static final class Requester {
        private @Nullable Object who;

        /** Null: the engine itself. */
        public void set(@Nullable Object next) {
            who = next;
        }
    }

    public Access(TargetContext context, PoolShard shard, DestroyedIds destroyed, Requester asker) {
        this.context = context;
        this.shard = shard;
        this.destroyed = destroyed;
        this.asker = asker;
    }

    /**
     * What a request waits for.
     *
     * @param scope for this scope's outcome; null = for a map of {@code mapVersion}
     * @param asker who has sent it; null = the engine itself
     */
    private record Wait(
            @Nullable ByteKey scope,
            int mapVersion,
            @Nullable Object asker) {}

    /** Runs it at the wanted map version, or refuses, or waits for the map. */
    public void at(ShardAddress a, Consumer<Fault> refuse, Runnable run) {
        if (waitsForMap(a.mapVersion(), () -> at(a, refuse, run), refuse)) return;
        Fault f = stale(a.mapVersion());
        if (f != null) {
            refuse.accept(f);
            return;
        }
        try {
            a.check();
            run.run();
        } catch (FaultException e) {
            refuse.accept(e.fault());
        }
    }

    /** Ends a request that {@link #at} runs. */
    public static void allow(@Nullable Fault refusal) {
        if (refusal != null) throw refusal.asException();
    }

    /** Parks a request that knows a newer map; true if it was taken care of. */
    private boolean waitsForMap(int version, Runnable retry, Consumer<Fault> refuse) {
        if (version <= shard.mapVersion()) return false;
        Supplier<Fault> late = () -> Fault.of(FaultCode.AGAIN, "this target waits for pool map version %d", version);
        // parked first: only an answer to a question that was asked later tells of it
        if (park(new Wait(null, version, asker.who), retry, refuse, late))
            context.host().needMap(shard.pool(), version);
        return true;
    }

    /** Parks a request until the outcome of the open update of the scope is known; {@code late} when that takes too long. */
    public void waitForOutcome(byte[] scope, Runnable retry, Consumer<Fault> refuse, Fault late) {
        park(new Wait(new ByteKey(scope), 0, asker.who), retry, refuse, () -> late);
    }

    /** False if it was refused. */
    private boolean park(Wait wait, Runnable retry, Consumer<Fault> refuse, Supplier<Fault> late) {
        Object who = wait.asker;
        if (who != null && parked.count(w -> who.equals(w.asker)) >= PARKED_OF_ASKER_MAX) {
            refuse.accept(Fault.of(FaultCode.BUSY, "%d requests of this peer wait already", PARKED_OF_ASKER_MAX));
            return false;
        }
        Runnable again = () -> {
            asker.who = who;
            retry.run();
            asker.who = null;
        };
        return parked.add(new Waiting.Waiter<>(wait, context.nowNs(), again, refuse, late));
    }

    /** The shard has a newer map. */
    public void onMap() {
        parked.take(w -> w.key().scope == null && w.key().mapVersion <= shard.mapVersion())
                .forEach(w -> context.loop().execute(w.retry()));
    }

    /**
     * The pool service had no newer map than this version at some moment after the given one: who came before with a newer one
     * waits for something that there is not.
     */
    public void onNewestMap(int version, long askedNs) {
        Fault f = Fault.of(FaultCode.STALE, "the pool service has made no such map");
        parked.take(w -> w.key().scope == null && w.key().mapVersion > version && w.sinceNs() - askedNs < 0)
                .forEach(w ->
                        w.refuse().accept(f.with("have", w.key().mapVersion).with("need", version)));
    }

    /** The outcome of an update is known: lets requests go on that waited for it. */
    public void wake(DtxEntry entry) {
        parked.take(w -> isFor(entry, w.key().scope))
                .forEach(w -> context.loop().execute(w.retry()));
    }

    private static boolean isFor(DtxEntry entry, @Nullable ByteKey waited) {
        return waited != null && entry.isIn(waited.bytes());
    }

    public void onTick() {
        parked.onTick(context.nowNs());
    }

    public void refuseAll(Fault why) {
        parked.refuseAll(why);
    }

    /** Null if the version is this shard's own. */
    public @Nullable Fault stale(int version) {
        if (version == shard.mapVersion()) return null;
        return Fault.of(FaultCode.STALE).with("have", version).with("need", shard.mapVersion());
    }

    /** Null if this shard serves at all, and the container is there. */
    public @Nullable Fault refusal(ShardAddress a) {
        Fault f = shard.refusal();
        return f == null ? destroyed.refusal(a.container()) : f;
    }

    /** Null if this target leads the group and may not be cut off. */
    public @Nullable Fault writer(ShardAddress a) {
        Fault f = leader(a);
        return f == null ? majority() : f;
    }

    /** Null if this target leads the group by its map. */
    public @Nullable Fault leader(ShardAddress a) {
        Fault f = refusal(a);
        if (f != null) return f;
        ShardGroup g = shard.group(a.oid(), a.group());
        if (!g.isAvailable()) {
            return Fault.of(FaultCode.DATA_LOSS, "all replicas of object %s, group %d are out", a.oid(), a.group())
                    .with("map_version", shard.mapVersion());
        }
        if (g.leader() != shard.myId()) {
            return Fault.of(FaultCode.STALE, "this target does not lead the group")
                    .with("have", a.mapVersion())
                    .with("need", shard.mapVersion())
                    .with("leader", shard.target(g.leader()).rank());
        }
        return null;
    }

    /** A settled member may serve a read at an epoch that the leader has given. */
    public @Nullable Fault settled(ShardAddress a, long epoch) {
        Fault f = refusal(a);
        if (f != null) return f;
        if (context.host().hlcNow() - epoch > Hlc.fromNanos(READ_AGE_NS))
            return Fault.of(FaultCode.AGAIN, "the epoch is too old to be read at: ask the leader for a new one");
        f = replica(a);
        return f == null ? majority() : f;
    }

    /** True if another target leads the group by the map. */
    public boolean isLedElsewhere(ShardAddress a) {
        ShardGroup g = shard.group(a.oid(), a.group());
        return g.isAvailable() && g.leader() != shard.myId();
    }

    /** Null if this target has by its map all that was acknowledged of the group. */
    public @Nullable Fault replica(ShardAddress a) {
        Fault f = refusal(a);
        if (f != null || shard.group(a.oid(), a.group()).settled().contains(shard.myId())) return f;
        return Fault.of(FaultCode.STALE, "this target has no settled replica of the group")
                .with("have", a.mapVersion())
                .with("need", shard.mapVersion());
    }

    /** Null if this target takes part in writes of the group. */
    public @Nullable Fault member(ShardAddress a) {
        Fault f = refusal(a);
        if (f != null) return f;
        List<Integer> members = shard.group(a.oid(), a.group()).members();
        if (members.contains(shard.myId())) return null;
        return Fault.of(FaultCode.STALE, "this target is no member of the group")
                .with("have", a.mapVersion())
                .with("need", shard.mapVersion());
    }

    public @Nullable Fault majority() {
        return context.host().hasMajority()
                ? null
                : Fault.of(FaultCode.AGAIN, "this rank has lost contact with the majority")
                        .with("state", "isolated");
    }
}
