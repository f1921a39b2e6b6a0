package io.daosmesh.itests.sim.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Writes until there is no room, leaves it so for a while, deletes all of it, and begins again. Owner: the timeline. */
final class Hog implements User {
    /** A few dozen fill a rank. */
    private static final byte[] BYTES = new byte[32 << 10];

    private static final int KEYS_MAX = 200;

    private final World world;
    private final Caller caller;
    private final ObjectId oid;
    private final Deque<byte[]> written = new ArrayDeque<>();
    private int keys;

    Hog(World world, int number, ObjectId oid) {
        this.world = world;
        this.caller = new Caller(world, number, false);
        this.oid = oid;
    }

    @Override
    public boolean isIdle() {
        return caller.isIdle() && written.isEmpty();
    }

    @Override
    public String doing() {
        return caller.doing() + ", " + written.size() + " keys left";
    }

    @Override
    public void start() {
        next(this::fill);
    }

    private void next(Runnable step) {
        world.time.after(world.time.between(0, Timeline.ms(10)), step);
    }

    private void fill() {
        if (!world.isOpen || written.size() >= KEYS_MAX) {
            delete();
            return;
        }
        byte[] dkey = ByteBuffer.allocate(4).putInt(++keys).array();
        // also of a write that was refused something may be left
        written.add(dkey);
        ValueMessage value = ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8("h"))
                .setLength(BYTES.length)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(BYTES)))
                .build();
        Caller.Change change = new Caller.Change(WriteOp.UPDATE, List.of(value), BYTES, 0);
        caller.write("hog's write", new Caller.Place(oid, dkey), change, world.limitNs(), end -> {
            if (end.value() != null) {
                next(this::fill);
                return;
            }
            world.onRefused(caller.doing(), end.fault());
            world.time.after(world.time.between(Timeline.ms(3_000), Timeline.ms(10_000)), this::delete);
        });
    }

    private void delete() {
        byte[] dkey = written.peek();
        if (dkey == null) {
            if (world.isOpen) start();
            return;
        }
        Caller.Change punch = new Caller.Change(WriteOp.DKEY, List.of(), new byte[0], 0);
        caller.write("hog's punch", new Caller.Place(oid, dkey), punch, World.END_MAX_NS, end -> {
            if (end.value() == null) world.violate(caller.doing());
            written.remove();
            next(this::delete);
        });
    }
}
