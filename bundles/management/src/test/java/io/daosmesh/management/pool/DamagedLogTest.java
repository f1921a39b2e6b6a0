package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.daosmesh.management.log.Replicated;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fuzz.Fuzz;
import io.daosmesh.model.fuzz.Samples;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolSnapshotMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Commands and snapshots of Raft logs that are damaged, or that no release makes. */
@Tag("fuzz")
class DamagedLogTest {
    private static final UUID POOL = new UUID(3, 3);

    private static byte[] init() {
        List<PoolTarget> targets = new ArrayList<>();
        for (int i = 0; i < 8; i++)
            targets.add(new PoolTarget(i, i / 2, i % 2, "/n" + i / 2, TargetState.UPIN, false, 1));
        return LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder()
                        .setEntry(PoolEntryMessage.newBuilder()
                                .setPool(Ids.bytes(POOL))
                                .setLabel("tank")
                                .addServiceRanks(0))
                        .setMap(new PoolMap(POOL, 1, targets).toWire()))
                .build()
                .toByteArray();
    }

    private static byte[] container() {
        return LogCommand.newBuilder()
                .setRequestId("c")
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(5, 5)))
                        .setLabel("c1")
                        .setObjectClass("RP_2G1")
                        .setRdFac(1))
                .build()
                .toByteArray();
    }

    private static byte[] exclusion() {
        return LogCommand.newBuilder()
                .setRequestId("x")
                .setTargets(TargetsChangeMessage.newBuilder()
                        .setOp(PoolTargetsRequest.Op.EXCLUDE)
                        .addRanks(1))
                .build()
                .toByteArray();
    }

    private static byte[] join() {
        return LogCommand.newBuilder()
                .setHlc(7)
                .setJoin(JoinRequest.newBuilder()
                        .setSystem("sys")
                        .setUuid(Ids.bytes(POOL))
                        .setWantedRank(-1)
                        .setAddress("h:1")
                        .setFaultDomain("/h")
                        .setIncarnation(1)
                        .setTargetCount(2))
                .build()
                .toByteArray();
    }

    private static PoolDb pool() {
        PoolDb db = new PoolDb();
        for (byte[] c : List.of(init(), container(), exclusion())) Replies.orThrow(db.apply(c));
        return db;
    }

    private static SystemDb system() {
        SystemDb db = new SystemDb("sys");
        Replies.orThrow(db.apply(join()));
        return db;
    }

    /** One of each command, with something in every field. */
    private static List<byte[]> commands() throws Exception {
        Message all = Samples.of(LogCommand.getDescriptor());
        List<byte[]> commands = new ArrayList<>();
        for (FieldDescriptor f : LogCommand.getDescriptor().getFields()) {
            if (f.getContainingOneof() == null) continue;
            Object value = f.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                    ? LogCommand.newBuilder()
                            .getFieldBuilder(f)
                            .mergeFrom(Samples.of(f.getMessageType())
                                    .toByteString()
                                    .toByteArray())
                            .build()
                    : all.getField(f);
            commands.add(LogCommand.newBuilder().setField(f, value).build().toByteArray());
        }
        return commands;
    }

    /** Refused or taken, and what has come of it is read back as it was. */
    private static void apply(Replicated to, Replicated other, byte[] command) {
        byte[] reply = to.apply(command);
        try {
            byte[] kept = to.snapshot();
            other.restore(kept);
            assertArrayEquals(kept, other.snapshot());
        } catch (FaultException e) {
            throw new AssertionError("cannot be restored", e);
        }
        Replies.orThrow(reply);
    }

    private static void damage(
            String what, List<byte[]> good, Supplier<? extends Replicated> made, Supplier<? extends Replicated> empty)
            throws Exception {
        Fuzz commands = Fuzz.of("command of " + what).good(good.toArray(new byte[0][]));
        commands.run(c -> apply(made.get(), empty.get(), c));
        // of each there is one, but not each is right here: only what is made of them counts
        Fuzz every = Fuzz.of("any command to " + what).good(commands().toArray(new byte[0][]));
        for (byte[] command : commands())
            Fuzz.check("any command to " + what, command, c -> apply(made.get(), empty.get(), c));
        for (int i = 0; i < Fuzz.runs(); i++)
            Fuzz.check("any command to " + what + " run " + i, every.input(i), c -> apply(made.get(), empty.get(), c));
        Fuzz.of("snapshot of " + what)
                .good(made.get().snapshot())
                .run(s -> empty.get().restore(s));
    }

    @Test
    void shouldRefuseDamagedLogOfPool() throws Exception {
        damage("a pool", List.of(init(), exclusion(), container()), DamagedLogTest::pool, PoolDb::new);
    }

    @Test
    void shouldRefuseDamagedLogOfSystem() throws Exception {
        damage("the system", List.of(join()), DamagedLogTest::system, () -> new SystemDb("sys"));
    }

    @Test
    void shouldRefuseSnapshotOfHalfAPool() throws Exception {
        PoolSnapshotMessage whole = PoolSnapshotMessage.parseFrom(pool().snapshot());
        for (byte[] half : List.of(
                whole.toBuilder().clearMap().build().toByteArray(),
                whole.toBuilder().clearEntry().build().toByteArray())) {
            FaultException e = assertThrows(FaultException.class, () -> new PoolDb().restore(half));
            assertEquals(FaultCode.DF_INVAL, e.code());
        }
    }
}
