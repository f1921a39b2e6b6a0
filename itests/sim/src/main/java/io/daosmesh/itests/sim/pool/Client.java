package io.daosmesh.itests.sim.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.itests.sim.history.RegisterModel.Operation;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An application that writes its own keys and reads everybody's, one call after the other. Owner: the timeline. */
final class Client implements User {
    private static final String AKEY = "v";
    private static final int MUST_NOT_EXIST = 1;
    private static final int COMPARISONS_MAX = 30;
    /** Less than the age at which a read at an epoch is refused. */
    private static final long COMPARE_MAX_NS = Timeline.ms(4_000);

    private final World world;
    private final Caller caller;
    private final List<Register> own;
    private final @Nullable Register watched;
    private int turn;

    /**
     * @param own the keys that it writes; one with a single key writes it now and then and does nothing else
     * @param watched a key that it reads all the time, and nothing else
     */
    Client(World world, int number, List<Register> own, @Nullable Register watched) {
        this.world = world;
        this.caller = new Caller(world, number, watched != null);
        this.own = own;
        this.watched = watched;
    }

    boolean isWatching() {
        return watched != null;
    }

    /** Hears of a map, say by another call. */
    void learn(PoolMap map) {
        caller.learn(map);
    }

    @Override
    public boolean isIdle() {
        return caller.isIdle();
    }

    @Override
    public String doing() {
        return caller.doing();
    }

    @Override
    public void start() {
        start(isSlow() ? world.time.between(Timeline.ms(1_000), Timeline.ms(3_000)) : pauseNs());
    }

    private long pauseNs() {
        return world.time.between(0, Timeline.ms(40));
    }

    /** What members have not been told yet of the last writes would tell them of the maps that they shall miss. */
    private boolean isSlow() {
        return own.size() == 1;
    }

    /** A slow one begins its next call soon. */
    void hurry() {
        if (isSlow() && isIdle()) start(world.time.between(0, Timeline.ms(300)));
    }

    private void start(long inNs) {
        int mine = ++turn;
        world.time.after(inNs, () -> {
            if (!world.isOpen || mine != turn) return;
            List<Register> all = world.registers;
            if (watched != null) read(watched, world.limitNs());
            else if (isSlow() || world.time.happens(0.5)) write(own.get(world.time.below(own.size())), world.limitNs());
            else read(all.get(world.time.below(all.size())), world.limitNs());
        });
    }

    private static Caller.Place place(Register r) {
        return new Caller.Place(r.oid, r.dkey);
    }

    private void write(Register r, long limitNs) {
        int number = r.startWrite();
        boolean isPunch = Register.isPunch(number);
        boolean isInsert = r.isContested && !isPunch && world.time.happens(0.4);
        byte[] data = isPunch ? new byte[0] : r.value(number);
        ValueMessage value = ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(AKEY))
                .setLength(data.length)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(data)))
                .build();
        Caller.Change change = new Caller.Change(
                isPunch ? WriteOp.DKEY : WriteOp.UPDATE,
                isPunch ? List.of() : List.of(value),
                data,
                isInsert ? MUST_NOT_EXIST : 0);
        Operation operation = isInsert ? Operation.insert(number) : Operation.put(Register.asValue(number));
        long fromNs = world.time.nowNs();
        caller.write("write of state " + number + " of " + r.name(), place(r), change, limitNs, end -> {
            onWritten(r, number, operation, fromNs, end);
            start();
        });
    }

    private void onWritten(Register r, int number, Operation operation, long fromNs, Caller.End<Long> end) {
        Fault fault = end.fault();
        if (end.value() != null) {
            r.onWritten(caller.number(), number, operation, fromNs, world.time.nowNs());
        } else if (!end.isKnown()) {
            world.unknown++;
            r.onUnknown(caller.number(), operation, fromNs);
        } else if (fault != null && Caller.isCondition(fault)) {
            r.onWritten(caller.number(), number, operation.unmet(), fromNs, world.time.nowNs());
        }
        if (end.value() == null) world.onRefused(caller.doing(), fault);
    }

    private void read(Register r, long limitNs) {
        read(r, limitNs, got -> start());
    }

    private interface AfterRead {
        void accept(Caller.@Nullable Got got);
    }

    private static List<ValueMessage> asked() {
        return List.of(
                ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8(AKEY)).build());
    }

    private void read(Register r, long limitNs, AfterRead then) {
        int floor = r.floor();
        long fromNs = world.time.nowNs();
        caller.fetch("read of " + r.name(), place(r), asked(), limitNs, end -> {
            Caller.Got got = end.value();
            if (got == null) {
                world.onRefused(caller.doing(), end.fault());
            } else {
                String wrong = r.onRead(caller.number(), got.values().get(0), floor, fromNs, world.time.nowNs());
                if (wrong != null) world.violate(wrong);
            }
            then.accept(got);
        });
    }

    /**
     * At the end, when all is well: reads from the leader, then the same moment from every settled replica; all must agree.
     * Then writes and reads again.
     */
    void compareReplicas(Register r, long limitNs) {
        compareReplicas(r, limitNs, COMPARISONS_MAX);
    }

    private void compareReplicas(Register r, long limitNs, int more) {
        List<Integer> settled = caller.settled(place(r));
        read(r, limitNs, first -> {
            boolean isUnreadable = first == null && world.has(Hazard.BAD_BLOCKS) && caller.hasMetDamage();
            if (isUnreadable && !r.isContested) write(r, World.END_MAX_NS);
            else if (isUnreadable) world.note("at the end, " + caller.doing());
            else if (first == null) world.violate("at the end, " + caller.doing());
            else compareNext(r, first, settled, 1, () -> compareReplicas(r, limitNs, more - 1), more);
        });
    }

    /** @param again with a new epoch: one that is some seconds old is refused */
    private void compareNext(Register r, Caller.Got first, List<Integer> settled, int at, Runnable again, int more) {
        if (at >= settled.size()) {
            if (!r.isContested) write(r, World.END_MAX_NS);
            return;
        }
        caller.fetchAt(place(r), asked(), first.epoch(), settled.get(at), COMPARE_MAX_NS, end -> {
            Caller.Got other = end.value();
            if (other == null) {
                if (more == 0) world.violate("at the end, " + caller.doing());
                else again.run();
            } else if (!Arrays.equals(first.values().get(0), other.values().get(0))) {
                world.violate("replicas of " + r.name() + " differ: "
                        + r.describe(first.values().get(0))
                        + " on target " + settled.get(0) + ", "
                        + r.describe(other.values().get(0)) + " on target " + settled.get(at));
            } else {
                compareNext(r, first, settled, at + 1, again, more);
            }
        });
    }
}
