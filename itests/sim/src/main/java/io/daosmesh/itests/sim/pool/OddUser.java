package io.daosmesh.itests.sim.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.itests.sim.history.Call;
import io.daosmesh.itests.sim.history.DkeyModel;
import io.daosmesh.itests.sim.history.DkeyModel.Kind;
import io.daosmesh.itests.sim.history.DkeyModel.Operation;
import io.daosmesh.itests.sim.history.DkeyModel.Value;
import io.daosmesh.itests.sim.history.Linearizability;
import io.daosmesh.itests.sim.history.Verdict;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.ValueMessage;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * An application that writes and reads dkeys with many values at once, some of its requests odd: they are refused, or do
 * exactly what the model says. Owner: the timeline.
 */
final class OddUser implements User {
    private static final long STEPS_MAX = 200_000;

    private final World world;
    private final Caller caller;
    private final List<Key> keys;
    private final OddInput input;

    /** A dkey and what its users were told. */
    static final class Key {
        private final Caller.Place place;
        private final List<Call<Operation>> history = new ArrayList<>();

        Key(Caller.Place place) {
            this.place = place;
        }

        Verdict verdict() {
            return Linearizability.check(new DkeyModel(), history, STEPS_MAX);
        }

        String name() {
            return "dkey " + java.util.HexFormat.of().formatHex(place.dkey()) + " of many values";
        }
    }

    OddUser(World world, int number, List<Key> keys) {
        this.world = world;
        this.caller = new Caller(world, number, false);
        this.keys = keys;
        this.input = new OddInput(world.time);
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
        world.time.after(world.time.between(0, Timeline.ms(100)), () -> {
            if (!world.isOpen) return;
            Key key = keys.get(world.time.below(keys.size()));
            if (world.time.happens(0.5)) fetch(key, world.limitNs());
            else write(key, input.next());
        });
    }

    private void write(Key key, Operation o) {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        List<ValueMessage> values = new ArrayList<>();
        for (Value v : o.values()) {
            ValueMessage.Builder b = asked(v).toBuilder();
            if (o.kind() == Kind.UPDATE) {
                data.writeBytes(v.bytes());
                b.setCrc32C(VosWriter.crc(ByteBuffer.wrap(v.bytes())));
            }
            values.add(b.setLength(v.length()).build());
        }
        Caller.Change change = new Caller.Change(level(o.kind()), values, data.toByteArray(), 0);
        long fromNs = world.time.nowNs();
        caller.write(o.kind() + " of " + key.name(), key.place, change, world.limitNs(), end -> {
            Fault fault = end.fault();
            boolean isRefusedOdd = fault != null && fault.code() == FaultCode.INVAL && OddInput.isOdd(o);
            if (isRefusedOdd) world.oddRefusals++;
            if (end.value() != null) key.history.add(new Call<>(caller.number(), o, fromNs, world.time.nowNs()));
            else if (!end.isKnown()) key.history.add(new Call<>(caller.number(), o, fromNs, Call.NEVER));
            if (end.value() == null && !isRefusedOdd) world.onRefused(caller.doing() + " " + o, fault);
            start();
        });
    }

    private static int level(Kind kind) {
        return switch (kind) {
            case PUNCH_DKEY -> WriteOp.DKEY;
            case PUNCH_AKEYS -> WriteOp.AKEYS;
            case PUNCH_EXTENTS -> WriteOp.EXTENTS;
            default -> WriteOp.UPDATE;
        };
    }

    private static ValueMessage asked(Value v) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFrom(v.akeyBytes()))
                .setKind(v.isArray() ? 1 : 0)
                .setOffset(v.offset())
                .setLength(v.length())
                .build();
    }

    /** Reads everything under the dkey at one moment. */
    void fetch(Key key, long limitNs) {
        Operation o = input.fetch();
        long fromNs = world.time.nowNs();
        List<ValueMessage> asked = o.values().stream().map(OddUser::asked).toList();
        caller.fetch("fetch of " + key.name(), key.place, asked, limitNs, end -> {
            Caller.Got got = end.value();
            if (got == null) {
                world.onRefused(caller.doing(), end.fault());
            } else {
                List<Value> found = new ArrayList<>();
                for (int i = 0; i < o.values().size(); i++) {
                    byte[] bytes = got.values().get(i);
                    found.add(o.values().get(i).found(bytes == null ? new byte[0] : bytes, bytes == null));
                }
                Operation done = new Operation(Kind.FETCH, found);
                key.history.add(new Call<>(caller.number(), done, fromNs, world.time.nowNs()));
            }
            start();
        });
    }
}
