package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenMessage;
import io.daosmesh.model.wire.HandlesEndMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolConnectMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Handles begin, are bounded and end, alike on every replica. */
class HandlesTest extends AccessFixture {
    @Test
    void shouldNotShareWhatIsOpenExclusively() {
        init("A::EVERYONE@:rw");
        make("c", "ada@", "A::EVERYONE@:rw");
        ByteString first = connected(ADA, READ_ONLY);
        assertEquals(FaultCode.BUSY, connect(BOB, EXCLUSIVE, handle()));
        ByteString reader = opened(ADA, first, "c", READ_ONLY);
        assertEquals(FaultCode.BUSY, open(ADA, first, "c", EXCLUSIVE, handle()));

        apply(LogCommand.newBuilder()
                .setHandlesEnd(HandlesEndMessage.newBuilder().addHandles(reader)));
        opened(ADA, first, "c", EXCLUSIVE);
        assertEquals(FaultCode.BUSY, open(ADA, first, "c", READ_ONLY, handle()));
        apply(LogCommand.newBuilder()
                .setHandlesEnd(HandlesEndMessage.newBuilder().setAll(true)));
        connected(BOB, EXCLUSIVE);

        assertEquals(FaultCode.BUSY, connect(ADA, READ_ONLY, handle()));
    }

    @Test
    void shouldEndWhatIsUnderAHandleWithIt() throws Exception {
        init("A::EVERYONE@:rw");
        make("c", "ada@");
        ByteString a = connected(ADA, READ_WRITE);
        ByteString b = connected(ADA, READ_WRITE);
        ByteString underA = opened(ADA, a, "c", READ_WRITE);
        ByteString underB = opened(ADA, b, "c", READ_WRITE);
        long before = db.access().handles().gone(-1).upTo();

        assertEquals(1, end(HandlesEndMessage.newBuilder().addHandles(a).setBy(wire(ADA))));

        Handles.Gone gone = db.access().handles().gone(before);
        assertEquals(List.of(underA), gone.handles());
        assertFalse(gone.all());
        assertEquals(List.of(underB), described(underA, underB));
        assertEquals(0, end(HandlesEndMessage.newBuilder().addHandles(a).setBy(wire(ADA))));
        assertTrue(db.access().handles().gone(gone.upTo()).isEmpty());
    }

    private List<ByteString> described(ByteString... ids) {
        return db.access().describe(List.of(ids)).stream()
                .map(m -> m.getHandle())
                .toList();
    }

    @Test
    void shouldEndOnlyOnesOwnUnlessAnAdministratorAsks() throws Exception {
        init("A::EVERYONE@:rw");
        ByteString adas = connected(ADA, READ_WRITE);
        ByteString bobs = connected(BOB, READ_WRITE);

        LogReply refused = apply(LogCommand.newBuilder()
                .setHandlesEnd(HandlesEndMessage.newBuilder()
                        .addHandles(adas)
                        .addHandles(bobs)
                        .setBy(wire(ADA))));

        assertEquals(FaultCode.NO_PERM, code(refused));
        assertEquals(2, db.access().handles().poolCount());
        assertEquals(0, end(HandlesEndMessage.newBuilder().setMachine("node9")));
        assertEquals(2, end(HandlesEndMessage.newBuilder().setMachine("node1")));
    }

    @Test
    void shouldEndHandlesWithTheirContainer() {
        init("A::EVERYONE@:rw");
        make("c", "ada@");
        ByteString h = opened(ADA, connected(ADA, READ_WRITE), "c", READ_WRITE);
        ContainerMessage c = db.container("c");

        apply(LogCommand.newBuilder().setContainerDestroy(c.getUuid()));

        assertEquals(List.of(), described(h));
        assertEquals(1, db.access().handles().poolCount());
    }

    @Test
    void shouldRefuseMoreHandlesThanOneUserOrThePoolMayHave() {
        init("A::EVERYONE@:rw");
        ByteString last = ByteString.EMPTY;
        for (int i = 0; i < Handles.POOL_HANDLES_OF_USER_MAX; i++) last = connected(ADA, READ_WRITE);
        assertEquals(FaultCode.BUSY, connect(ADA, READ_WRITE, handle()));
        connected(BOB, READ_WRITE);
        apply(LogCommand.newBuilder()
                .setHandlesEnd(HandlesEndMessage.newBuilder().addHandles(last)));
        connected(ADA, READ_WRITE);

        for (int i = db.access().handles().poolCount(); i < Handles.POOL_HANDLES_MAX; i++)
            connected(new User("u" + i % 100 + "@", "g@", List.of(), "m"), READ_WRITE);

        assertEquals(FaultCode.BUSY, connect(new User("new@", "g@", List.of(), "m"), READ_WRITE, handle()));
    }

    @Test
    void shouldTellToAskAgainWhenTooMuchHasBeenMissed() {
        init("A::EVERYONE@:rw");
        make("c", "ada@");
        ByteString pool = connected(ADA, READ_WRITE);
        long before = db.access().handles().gone(-1).upTo();
        for (int i = 0; i < Handles.ENDED_MAX; i++) opened(ADA, pool, "c", READ_WRITE);
        ByteString one = opened(ADA, pool, "c", READ_WRITE);
        apply(LogCommand.newBuilder()
                .setHandlesEnd(HandlesEndMessage.newBuilder().addHandles(one)));
        assertEquals(List.of(one), db.access().handles().gone(before).handles());

        apply(LogCommand.newBuilder()
                .setHandlesEnd(HandlesEndMessage.newBuilder().addHandles(pool)));

        assertTrue(db.access().handles().gone(before).all());
        assertTrue(db.access().handles().gone(-1).all());
        assertEquals(
                Handles.ENDED_MAX,
                db.access().handles().gone(before + 1).handles().size());
    }

    @Test
    void shouldAnswerAResendWithTheFirstHandle() throws Exception {
        init("A::EVERYONE@:rw");
        LogCommand.Builder first = LogCommand.newBuilder()
                .setRequestId("r1")
                .setPoolConnect(PoolConnectMessage.newBuilder()
                        .setHandle(handle())
                        .setFlags(READ_WRITE)
                        .setUser(wire(ADA)));
        LogReply reply = apply(first);

        LogReply again =
                apply(first.setPoolConnect(first.getPoolConnectBuilder().setHandle(handle())));

        assertEquals(reply, again);
        assertEquals(1, db.access().handles().poolCount());
    }

    /** Random histories: two replicas and one restored midway agree, and no handle outlives its pool handle or container. */
    @Test
    void shouldAgreeOnEveryReplica() {
        for (long seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            db = new PoolDb();
            PoolDb other = new PoolDb();
            init("A::EVERYONE@:rw");
            make("c0", "ada@", "A::EVERYONE@:rw");
            make("c1", "ada@", "A::EVERYONE@:rw");
            other.restore(db.snapshot());
            List<ByteString> known = new ArrayList<>(List.of(ByteString.EMPTY));
            for (int i = 0; i < 200; i++) {
                byte[] command = step(random, known).build().toByteArray();
                assertArrayEquals(db.apply(command), other.apply(command), "seed " + seed);
                if (random.nextInt(40) == 0) other.restore(db.snapshot());
            }
            assertArrayEquals(db.snapshot(), other.snapshot(), "seed " + seed);
            apply(LogCommand.newBuilder()
                    .setHandlesEnd(HandlesEndMessage.newBuilder().setAll(true)));
            assertEquals(0, db.access().handles().poolCount(), "seed " + seed);
            assertEquals(0, db.access().handles().containerCount(), "seed " + seed);
        }
    }

    private LogCommand.Builder step(Random random, List<ByteString> known) {
        User u = random.nextBoolean() ? ADA : BOB;
        ByteString some = known.get(random.nextInt(known.size()));
        ByteString fresh = handle();
        LogCommand.Builder c = LogCommand.newBuilder();
        switch (random.nextInt(6)) {
            case 0, 1 -> {
                known.add(fresh);
                c.setPoolConnect(PoolConnectMessage.newBuilder()
                        .setHandle(fresh)
                        .setFlags(1 + random.nextInt(random.nextInt(8) == 0 ? 3 : 2))
                        .setUser(wire(u)));
            }
            case 2, 3 -> {
                known.add(fresh);
                c.setContainerOpen(ContainerOpenMessage.newBuilder()
                        .setHandle(fresh)
                        .setPoolHandle(some)
                        .setContainer("c" + random.nextInt(3))
                        .setFlags(1 + random.nextInt(3))
                        .setUser(wire(u)));
            }
            case 4 ->
                c.setHandlesEnd(HandlesEndMessage.newBuilder().addHandles(some).setBy(wire(u)));
            default -> {
                HandlesEndMessage.Builder m = HandlesEndMessage.newBuilder();
                if (random.nextInt(4) == 0) m.setMachine("node1");
                else m.addHandles(some);
                c.setHandlesEnd(m);
            }
        }
        return c;
    }
}
