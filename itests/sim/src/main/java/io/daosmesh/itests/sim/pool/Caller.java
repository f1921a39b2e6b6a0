package io.daosmesh.itests.sim.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.read.Fetched;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.itests.sim.machine.Buffers;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How one application reaches the pool: one call after the other, each tried again with the same DTX id until it is
 * answered, refused for good or its time is over, by the rules of the shipped client. Owner: the timeline.
 */
final class Caller {
    static final UUID CONTAINER = new UUID(2, 2);
    private static final long TRY_MAX_NS = Timeline.ms(3_000);
    /** Longest way of a request whose connection was blocked. */
    private static final long BLOCKED_MAX_NS = Timeline.ms(7_000);

    /** That a client finds leaders slow, and that it trusts them again: meanwhile it reads from other replicas. */
    private static final double TURNS_AWAY = 0.01;

    private static final double TURNS_BACK = 0.1;
    /** Of one that only reads: for as long as it takes to put out a rank, so that it meets one that does not know yet. */
    private static final double READER_TURNS_BACK = 0.01;

    private final World world;
    private final UUID id;
    private final double turnsBack;
    private PoolMap map;
    private boolean isTurnedAway;
    private long calls;
    private boolean isBusy;
    private String doing = "";
    private String lastRefusal = "";
    private boolean hasMetDamage;

    /** @param isReader never writes */
    Caller(World world, int number, boolean isReader) {
        this.world = world;
        this.turnsBack = isReader ? READER_TURNS_BACK : TURNS_BACK;
        this.id = new UUID(5, number);
        this.map = world.service.map();
    }

    int number() {
        return (int) id.getLeastSignificantBits();
    }

    boolean isIdle() {
        return !isBusy;
    }

    String doing() {
        return doing + ", last refused: " + lastRefusal;
    }

    /** The last call heard that a copy cannot be read. */
    boolean hasMetDamage() {
        return hasMetDamage;
    }

    void learn(PoolMap newest) {
        if (newest.version() > map.version()) map = newest;
    }

    /** Where a key lives. */
    record Place(ObjectId oid, byte[] dkey) {}

    /** What a write does. The values describe the data. */
    record Change(int level, List<ValueMessage> values, byte[] data, int condition) {}

    /** What a fetch has found, value by value; null = absent. */
    record Got(List<byte @Nullable []> values, long epoch) {}

    /**
     * How a call has ended.
     *
     * @param value null if it was refused or given up
     * @param fault why
     * @param isKnown false if it may have happened, or happen later, nevertheless
     */
    record End<T>(@Nullable T value, @Nullable Fault fault, boolean isKnown) {}

    /** One call on its way. */
    private final class Running<T> {
        private final Place place;
        private final long endNs;
        private final Consumer<End<T>> onEnd;
        private int tries;
        private boolean isSent;
        /** An earlier try may still arrive: what is refused now may be done then. */
        private boolean hasUnansweredTry;

        Running(String what, Place place, long limitNs, Consumer<End<T>> onEnd) {
            this.place = place;
            this.endNs = world.time.nowNs() + limitNs;
            this.onEnd = onEnd;
            isBusy = true;
            doing = what;
            lastRefusal = "";
            hasMetDamage = false;
            calls++;
        }

        void end(@Nullable T value, @Nullable Fault fault) {
            isBusy = false;
            boolean isRefusedUnseen = !isSent || tries == 1 && fault != null && isSurelyUndone(fault.code());
            onEnd.accept(new End<>(
                    value, fault, value != null || isRefusedUnseen || isCondition(fault) && !hasUnansweredTry));
        }

        void again(@Nullable Fault fault, Runnable retry) {
            Fault f = fault == null ? Fault.of(FaultCode.MISC, "neither answer nor fault") : fault;
            lastRefusal = f.message();
            hasMetDamage |= f.code() == FaultCode.CSUM;
            hasUnansweredTry |= f.code() == FaultCode.TIMEDOUT || f.code() == FaultCode.MISC;
            if (f.code().retry() == FaultCode.Retry.NEVER || world.time.nowNs() >= endNs) {
                end(null, f);
                return;
            }
            world.network.ask(Network.CLIENT, Timeline.ms(1_000), world.service::map, (newest, late) -> {
                if (newest != null) learn(newest);
                world.time.after(world.time.between(Timeline.ms(5), Timeline.ms(300)), retry);
            });
        }

        @Nullable
        ShardGroup group() {
            ShardGroup g = Placement.group(map, place.oid, place.dkey);
            return g.isAvailable() ? g : null;
        }

        ShardAddress address(ShardGroup g) {
            return new ShardAddress(World.POOL, CONTAINER, place.oid, g.index(), map.version());
        }
    }

    private static boolean isSurelyUndone(FaultCode code) {
        return switch (code) {
            case INVAL, KEY2BIG, REC2BIG, DATA_LOSS, RF -> true;
            default -> false;
        };
    }

    static boolean isCondition(@Nullable Fault fault) {
        return fault != null && (fault.code() == FaultCode.EXIST || fault.code() == FaultCode.NONEXIST);
    }

    private static Fault unavailable() {
        return Fault.of(FaultCode.UNREACH, "all replicas are down");
    }

    void write(String what, Place place, Change change, long limitNs, Consumer<End<Long>> onEnd) {
        Running<Long> call = new Running<>(what, place, limitNs, onEnd);
        tryWrite(call, change, new DtxId(id, calls));
    }

    private void tryWrite(Running<Long> call, Change change, DtxId dtx) {
        ShardGroup group = call.group();
        if (group == null) {
            call.again(unavailable(), () -> tryWrite(call, change, dtx));
            return;
        }
        boolean isResent = call.tries > 0;
        call.tries++;
        call.isSent = true;
        world.count(isResent);
        WriteOp.Dtx d = new WriteOp.Dtx(dtx, 0, change.condition, isResent);
        ByteBuffer data = PeersOf.copy(ByteBuffer.wrap(change.data));
        WriteOp op = new WriteOp(call.address(group), change.level, call.place.dkey, change.values, data, d);
        int rank = map.target(group.leader()).rank();
        Network.Handler<Long> handler = (life, back) -> life.execute(() -> life.target.write(op, (epoch, fault) -> {
            Buffers.scribble(op.data());
            back.answer(epoch, fault);
        }));
        Answer<Long> answer = (epoch, fault) -> {
            if (epoch == null) {
                call.again(fault, () -> tryWrite(call, change, dtx));
                return;
            }
            world.writes++;
            call.end(epoch, null);
        };
        boolean isBlocked = world.has(Hazard.LATE_TRIES) && world.time.happens(0.01);
        if (isBlocked) world.network.callLate(rank, world.time.between(TRY_MAX_NS, BLOCKED_MAX_NS), handler);
        if (isBlocked) world.time.after(TRY_MAX_NS, () -> answer.refuse(Fault.of(FaultCode.TIMEDOUT, "blocked")));
        else world.network.call(Network.CLIENT, rank, TRY_MAX_NS, handler, answer);
    }

    /** @param asked akey, kind and range of each value */
    void fetch(String what, Place place, List<ValueMessage> asked, long limitNs, Consumer<End<Got>> onEnd) {
        tryFetch(new Running<>(what, place, limitNs, onEnd), asked, 0, null);
    }

    /** The same at an epoch that the leader has given, from a certain replica. */
    void fetchAt(Place place, List<ValueMessage> asked, long epoch, int target, long limitNs, Consumer<End<Got>> end) {
        tryFetch(new Running<>("read of target " + target, place, limitNs, end), asked, epoch, target);
    }

    private void tryFetch(Running<Got> call, List<ValueMessage> asked, long epoch, @Nullable Integer target) {
        ShardGroup group = call.group();
        Runnable retry = () -> tryFetch(call, asked, epoch, target);
        if (group == null) {
            call.again(unavailable(), retry);
            return;
        }
        call.tries++;
        int others = group.settled().size() - 1;
        isTurnedAway = isTurnedAway ? !world.time.happens(turnsBack) : world.time.happens(TURNS_AWAY);
        boolean isHedge = isTurnedAway && target == null && others > 0;
        FetchRequest request = FetchRequest.newBuilder()
                .setAddress(call.address(group).toWire(0))
                .setDkey(ByteString.copyFrom(call.place.dkey))
                .addAllValues(asked)
                .setEpoch(epoch)
                .setAnyReplica(isHedge)
                .build();
        int chosen = isHedge ? group.settled().get(1 + number() % others) : group.leader();
        PoolTarget from = map.target(target == null ? chosen : target);
        world.network.<Got>call(
                Network.CLIENT, from.rank(), TRY_MAX_NS, (life, back) -> fetch(life, request, back), (got, fault) -> {
                    if (got == null) {
                        call.again(fault, retry);
                        return;
                    }
                    world.reads++;
                    if (isHedge) world.readsOfReplicas++;
                    call.end(got, null);
                });
    }

    /** As the shipped handler does. */
    private static void fetch(EngineLife life, FetchRequest request, Answer<Got> back) {
        Fetched hot = life.target.hotFetch(request);
        if (hot != null) {
            back.answer(taken(hot), null);
            return;
        }
        life.execute(() -> life.target.fetch(request, (f, fault) -> {
            if (f == null) back.answer(null, fault);
            else back.answer(taken(f), null);
        }));
    }

    private static Got taken(Fetched f) {
        List<byte @Nullable []> values = new ArrayList<>();
        ByteBuffer data = f.data().duplicate();
        for (ValueMessage v : f.values()) {
            byte[] bytes = new byte[(int) v.getLength()];
            data.get(bytes);
            values.add(v.getAbsent() ? null : bytes);
        }
        f.onDone().run();
        return new Got(values, f.epoch());
    }

    /** Learns the newest map and where the key is readable by it. */
    List<Integer> settled(Place place) {
        map = world.service.map();
        return Placement.group(map, place.oid, place.dkey).settled();
    }
}
