package io.daosmesh.itests.sim.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.object.Fetched;
import io.daosmesh.engine.object.ShardAddress;
import io.daosmesh.engine.object.WriteOp;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An application that writes its own keys and reads everybody's, one call after the other, and tries each again with the
 * same DTX id until it is answered, by the rules of the shipped client. Owner: the timeline.
 */
final class Client {
    private static final UUID CONTAINER = new UUID(2, 2);
    private static final long TRY_MAX_NS = Timeline.ms(3_000);

    private final World world;
    private final UUID id;
    private final List<Register> own;
    private PoolMap map;
    private long calls;
    private boolean isBusy;
    private String doing = "";
    private String lastRefusal = "";

    /** @param own the keys that it writes; one without any reads a single key all the time, by a map as old as may be */
    Client(World world, int number, List<Register> own) {
        this.world = world;
        this.id = new UUID(5, number);
        this.own = own;
        this.map = world.service.map();
    }

    /** False while a call is not answered. */
    boolean isIdle() {
        return !isBusy;
    }

    String doing() {
        return doing + ", last refused: " + lastRefusal;
    }

    void start() {
        world.time.after(world.time.between(0, Timeline.ms(40)), () -> {
            if (!world.isOpen) return;
            if (own.isEmpty()) read(world.registers.get((int) id.getLeastSignificantBits() % world.registers.size()));
            else if (world.time.happens(0.5)) write(own.get(world.time.below(own.size())));
            else read(world.registers.get(world.time.below(world.registers.size())));
        });
    }

    private void begin(String what) {
        isBusy = true;
        doing = what;
        lastRefusal = "";
        calls++;
    }

    private void end() {
        isBusy = false;
        start();
    }

    private void write(Register r) {
        int number = r.startWrite();
        begin("write of state " + number);
        DtxId dtx = new DtxId(id, calls);
        tryWrite(r, number, dtx, false);
    }

    private void tryWrite(Register r, int number, DtxId dtx, boolean isResent) {
        boolean isPunch = Register.isPunch(number);
        ByteBuffer data = ByteBuffer.wrap(isPunch ? new byte[0] : r.value(number));
        ValueMessage value = ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8("v"))
                .setLength(data.remaining())
                .setCrc32C(VosWriter.crc(data.duplicate()))
                .build();
        world.count(isResent);
        call(r, (t, a) -> {
            WriteOp.Dtx d = new WriteOp.Dtx(dtx, 0, 0, isResent);
            int level = isPunch ? WriteOp.DKEY : WriteOp.UPDATE;
            List<ValueMessage> values = isPunch ? List.of() : List.of(value);
            WriteOp op = new WriteOp(a, level, r.dkey, values, PeersOf.copy(data), d);
            world.network.<Long>call(
                    Network.CLIENT,
                    t.rank(),
                    TRY_MAX_NS,
                    (life, back) -> life.execute(() -> life.target.write(op, (epoch, fault) -> {
                        Buffers.scribble(op.data());
                        back.answer(epoch, fault);
                    })),
                    (epoch, fault) -> {
                        if (epoch != null) {
                            r.onWritten(number);
                            world.writes++;
                            end();
                        } else {
                            again(fault, () -> tryWrite(r, number, dtx, true));
                        }
                    });
        });
    }

    private interface Send {
        void send(PoolTarget to, ShardAddress address);
    }

    private void call(Register r, Send send) {
        ShardGroup group = Placement.group(map, r.oid, r.dkey);
        if (!group.isAvailable()) {
            again(Fault.of(FaultCode.AGAIN, "no replica"), () -> call(r, send));
            return;
        }
        ShardAddress a = new ShardAddress(World.POOL, CONTAINER, r.oid, group.index(), map.version());
        send.send(map.target(group.leader()), a);
    }

    private void again(@Nullable Fault fault, Runnable retry) {
        if (fault == null || fault.code().retry() == FaultCode.Retry.NEVER) {
            world.violate(doing + " was refused for good: " + (fault == null ? "" : fault.message()));
            end();
            return;
        }
        lastRefusal = fault.message();
        world.network.ask(Network.CLIENT, Timeline.ms(1_000), world.service::map, (newest, late) -> {
            if (newest != null && newest.version() > map.version()) map = newest;
            world.time.after(world.time.between(Timeline.ms(5), Timeline.ms(300)), retry);
        });
    }

    private void read(Register r) {
        int floor = r.floor();
        begin("read");
        tryRead(r, 0, null, got -> {
            String wrong = r.onRead(got.bytes, floor);
            if (wrong != null) world.violate(wrong);
            world.reads++;
            end();
        });
    }

    /** What one read has found. */
    record Got(byte @Nullable [] bytes, long epoch) {}

    private void tryRead(Register r, long epoch, @Nullable PoolTarget from, Consumer<Got> found) {
        call(
                r,
                (leader, a) -> fetch(r, from == null ? leader : from, a, epoch, (got, fault) -> {
                    if (got != null) found.accept(got);
                    else again(fault, () -> tryRead(r, epoch, from, found));
                }));
    }

    private void fetch(Register r, PoolTarget from, ShardAddress a, long epoch, Answer<Got> answer) {
        FetchRequest request = FetchRequest.newBuilder()
                .setAddress(a.toWire(0))
                .setDkey(ByteString.copyFrom(r.dkey))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .setEpoch(epoch)
                .build();
        world.network.<Got>call(
                Network.CLIENT,
                from.rank(),
                TRY_MAX_NS,
                (life, back) -> life.execute(() -> life.target.fetch(request, (f, fault) -> {
                    if (f == null) back.answer(null, fault);
                    else back.answer(taken(f), null);
                })),
                answer);
    }

    private static Got taken(Fetched f) {
        boolean isAbsent = f.values().get(0).getAbsent();
        byte[] bytes = new byte[f.data().remaining()];
        f.data().duplicate().get(bytes);
        f.onDone().run();
        return new Got(isAbsent ? null : bytes, f.epoch());
    }

    /** At the end: reads from the leader, then the same moment from every settled replica; all must agree. */
    void compareReplicas(Register r) {
        int floor = r.floor();
        map = world.service.map();
        begin("last read");
        tryRead(r, 0, null, first -> {
            String wrong = r.onRead(first.bytes, floor);
            if (wrong != null) world.violate("at the end, " + wrong);
            List<Integer> settled = Placement.group(map, r.oid, r.dkey).settled();
            compareNext(r, first, settled, 1);
        });
    }

    private void compareNext(Register r, Got first, List<Integer> settled, int at) {
        if (at >= settled.size()) {
            isBusy = false;
            return;
        }
        tryRead(r, first.epoch, map.target(settled.get(at)), other -> {
            if (!java.util.Arrays.equals(first.bytes, other.bytes)) {
                world.violate("replicas of " + new String(r.dkey, java.nio.charset.StandardCharsets.UTF_8)
                        + " differ on target " + settled.get(at));
            }
            compareNext(r, first, settled, at + 1);
        });
    }
}
