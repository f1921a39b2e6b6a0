package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.management.log.Replies;
import io.daosmesh.model.access.Permission;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.AclChangeMessage;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.ContainerMakeMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenMessage;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.model.wire.HandlesEndMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OwnerChangeMessage;
import io.daosmesh.model.wire.PoolConnectMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolInitMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessTest {
    private static final UUID POOL = new UUID(3, 3);
    private static final User ADA = new User("ada@", "labs@", List.of(), "node1");
    private static final User BOB = new User("bob@", "users@", List.of(), "node1");
    private static final int READ_ONLY = 1;
    private static final int READ_WRITE = 2;
    private static final int EXCLUSIVE = 3;

    private PoolDb db = new PoolDb();
    private long next;

    private LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.build().toByteArray()));
    }

    private static FaultCode code(LogReply r) {
        return r.hasFault() ? Fault.fromWire(r.getFault()).code() : null;
    }

    /** Of ada@ and labs@. */
    private void init(String... acl) {
        PoolEntryMessage.Builder e = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(POOL))
                .setLabel("tank")
                .setUser("ada@")
                .setGroup("labs@");
        if (acl.length > 0) e.setAcl(AclMessage.newBuilder().addAllEntries(List.of(acl)));
        init(e.build());
    }

    private void init(PoolEntryMessage e) {
        PoolMap map = new PoolMap(POOL, 1, List.of(new PoolTarget(0, 0, 0, "/n0", TargetState.UPIN, false, 1)));
        apply(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(e).setMap(map.toWire())));
    }

    private static CredentialMessage wire(User u) {
        return CredentialMessage.newBuilder()
                .setUser(u.user())
                .setGroup(u.group())
                .addAllGroups(u.groups())
                .setMachine(u.machine())
                .build();
    }

    private ByteString handle() {
        return Ids.bytes(new UUID(7, ++next));
    }

    private FaultCode connect(User u, int flags, ByteString handle) {
        return code(apply(LogCommand.newBuilder()
                .setPoolConnect(PoolConnectMessage.newBuilder()
                        .setHandle(handle)
                        .setFlags(flags)
                        .setUser(wire(u)))));
    }

    private ByteString connected(User u, int flags) {
        ByteString h = handle();
        assertEquals(null, connect(u, flags, h));
        return h;
    }

    private FaultCode open(User u, ByteString pool, String container, int flags, ByteString handle) {
        return code(apply(LogCommand.newBuilder()
                .setContainerOpen(ContainerOpenMessage.newBuilder()
                        .setHandle(handle)
                        .setPoolHandle(pool)
                        .setContainer(container)
                        .setFlags(flags)
                        .setUser(wire(u)))));
    }

    private ByteString opened(User u, ByteString pool, String container, int flags) {
        ByteString h = handle();
        assertEquals(null, open(u, pool, container, flags, h));
        return h;
    }

    private FaultCode make(String label, String owner, String... acl) {
        ContainerMakeMessage.Builder m = ContainerMakeMessage.newBuilder()
                .setContainer(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(5, ++next)))
                        .setLabel(label)
                        .setOwner(owner)
                        .setGroup(owner));
        if (acl.length > 0) m.setAcl(AclMessage.newBuilder().addAllEntries(List.of(acl)));
        return code(apply(LogCommand.newBuilder().setContainerMake(m)));
    }

    private int end(HandlesEndMessage.Builder m) throws Exception {
        return PoolEvictReply.parseFrom(
                        apply(LogCommand.newBuilder().setHandlesEnd(m)).getBody())
                .getCount();
    }

    @ParameterizedTest
    @CsvSource({
        "A::bob@:rw,      2, ''",
        "A::bob@:r,       2, NO_PERM",
        "A::bob@:r,       1, ''",
        "A::bob@:t,       1, ''",
        "A::bob@:tc,      2, ''",
        "A::bob@:td,      3, ''",
        "A::bob@:w,       2, NO_PERM",
        "A::bob@:cd,      1, NO_PERM",
        "A::bob@:,        1, NO_PERM",
        "A::EVERYONE@:rw, 2, ''",
        "A::ada@:rw,      1, NO_PERM",
        "A::bob@:rw,      0, INVAL",
        "A::bob@:rw,      4, INVAL",
    })
    void shouldConnectByThePoolsList(String entry, int flags, String refusal) {
        init(entry);

        FaultCode code = connect(BOB, flags, handle());

        assertEquals(refusal, code == null ? "" : code.name());
        assertEquals(code == null ? 1 : 0, db.access().handles().poolCount());
    }

    @ParameterizedTest
    @CsvSource({
        "A::bob@:rw, 2, 3, ''",
        "A::bob@:rw, 1, 1, ''",
        "A::bob@:r,  1, 1, ''",
        "A::bob@:r,  2, 0, NO_PERM",
        "A::bob@:w,  2, 2, ''",
        "A::bob@:w,  1, 0, NO_PERM",
        "A::bob@:t,  1, 0, ''",
        "A::bob@:rT, 2, 1, ''",
        "A::bob@:,   1, 0, NO_PERM",
        "A::eve@:rw, 1, 0, NO_PERM",
    })
    void shouldOpenByTheContainersListEvenUnderAHandleOfThePoolToReadOnly(
            String entry, int flags, int rights, String refusal) {
        init("A::bob@:r");
        make("c", "ada@", entry);
        ByteString pool = connected(BOB, READ_ONLY);
        ByteString h = handle();

        FaultCode code = open(BOB, pool, "c", flags, h);

        assertEquals(refusal, code == null ? "" : code.name());
        assertEquals(
                code == null ? Optional.of(rights) : Optional.empty(),
                db.access().handles().container(h).map(Handles.ContainerHandle::rights));
    }

    @Test
    void shouldNotOpenWithWhatIsSomebodyElsesOrNothing() {
        init("A::EVERYONE@:rw");
        make("c", "bob@", "A::EVERYONE@:rw");
        ByteString adas = connected(ADA, READ_WRITE);
        User elsewhere = new User("ada@", "labs@", List.of(), "node2");

        assertEquals(FaultCode.NO_HDL, open(BOB, adas, "c", READ_WRITE, handle()));
        assertEquals(FaultCode.NO_HDL, open(elsewhere, adas, "c", READ_WRITE, handle()));
        assertEquals(FaultCode.NO_HDL, open(ADA, handle(), "c", READ_WRITE, handle()));
        assertEquals(FaultCode.NO_HDL, open(ADA, ByteString.EMPTY, "c", READ_WRITE, handle()));
        assertEquals(FaultCode.NONEXIST, open(ADA, adas, "d", READ_WRITE, handle()));
        assertEquals(FaultCode.INVAL, open(ADA, adas, "c", READ_WRITE, adas));
        assertEquals(0, db.access().handles().containerCount());
    }

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

    private Asker asker(User u, ByteString handle) {
        return new Asker(true, Optional.of(u), handle);
    }

    @Test
    void shouldLetAnAskerDoOnlyWhatHandleAndListAllow() {
        init("A::OWNER@:rw", "A::bob@:r");
        make("c", "ada@", "A::OWNER@:rwdtTaAo", "A::bob@:rt");
        ContainerMessage c = db.container("c");
        Asker ada = asker(ADA, connected(ADA, READ_WRITE));
        Asker bob = asker(BOB, connected(BOB, READ_ONLY));
        Access access = db.access();

        access.checkConnected(bob);
        access.checkCreate(ada);
        access.checkDestroy(ada, c);
        access.check(bob, c, Permission.GET_PROPERTIES);
        refuses(FaultCode.NO_PERM, () -> access.checkCreate(bob));
        refuses(FaultCode.NO_PERM, () -> access.checkDestroy(bob, c));
        refuses(FaultCode.NO_PERM, () -> access.check(bob, c, Permission.GET_ACL));
        refuses(FaultCode.NO_HDL, () -> access.checkConnected(asker(ADA, bob.handle())));
        refuses(FaultCode.NO_HDL, () -> access.checkConnected(asker(BOB, ByteString.EMPTY)));
        refuses(FaultCode.NO_PERM, () -> access.checkConnected(new Asker(true, Optional.empty(), ada.handle())));
        // an administrator shows no handle
        access.checkDestroy(new Asker(false, Optional.empty(), ByteString.EMPTY), c);
    }

    @Test
    void shouldWriteOnlyWithAHandleOfTheContainerToWrite() {
        init("A::EVERYONE@:rw");
        make("c", "ada@");
        make("d", "ada@");
        ByteString pool = connected(ADA, READ_WRITE);
        Access access = db.access();

        access.findWritable(asker(ADA, opened(ADA, pool, "c", READ_WRITE)), "c");

        refuses(FaultCode.NO_PERM, () -> access.findWritable(asker(ADA, opened(ADA, pool, "c", READ_ONLY)), "c"));
        refuses(FaultCode.NO_HDL, () -> access.findWritable(asker(ADA, opened(ADA, pool, "d", READ_WRITE)), "c"));
        refuses(FaultCode.NO_HDL, () -> access.findWritable(asker(BOB, opened(ADA, pool, "c", READ_WRITE)), "c"));
        refuses(FaultCode.NO_HDL, () -> access.findWritable(asker(ADA, pool), "c"));
    }

    /** Who is not in does not learn what there is. */
    @Test
    void shouldHideContainersFromThoseWithoutAHandle() {
        init("A::bob@:r");
        make("c", "ada@");
        Access access = db.access();
        Asker stranger = asker(ADA, ByteString.EMPTY);

        for (String container : List.of("c", "none")) {
            refuses(FaultCode.NO_HDL, () -> access.find(stranger, container));
            refuses(FaultCode.NO_HDL, () -> access.findWritable(stranger, container));
        }
        refuses(FaultCode.NO_PERM, () -> access.checkMap(stranger));
    }

    @Test
    void shouldShowTheMapToThoseWhoAreInUntilTheyLeave() throws Exception {
        init("A::bob@:r");
        ByteString handle = connected(BOB, READ_ONLY);
        acl("", 1, "", "A::ada@:r");
        Asker bob = asker(BOB, ByteString.EMPTY);

        db.access().checkMap(bob);
        end(HandlesEndMessage.newBuilder().addHandles(handle));

        refuses(FaultCode.NO_PERM, () -> db.access().checkMap(bob));
        db.access().checkMap(asker(ADA, ByteString.EMPTY));
    }

    private static void refuses(FaultCode code, org.junit.jupiter.api.function.Executable what) {
        assertEquals(code, assertThrows(FaultException.class, what).code());
    }

    private FaultCode acl(String container, int op, String principal, String... entries) {
        return code(apply(LogCommand.newBuilder()
                .setAclChange(AclChangeMessage.newBuilder()
                        .setContainer(
                                container.isEmpty()
                                        ? ByteString.EMPTY
                                        : db.container(container).getUuid())
                        .setOp(op)
                        .setPrincipal(principal)
                        .addAllEntries(List.of(entries)))));
    }

    @Test
    void shouldChangeLists() {
        init();
        make("c", "bob@");
        int version = db.entry().getServiceVersion();

        assertEquals(null, acl("", 2, "", "A::bob@:r"));
        assertEquals(null, acl("", 3, "GROUP@"));
        assertEquals(null, acl("c", 1, "", "A::EVERYONE@:r"));

        assertEquals(
                List.of("A::OWNER@:rw", "A::bob@:r"), db.access().pool().acl().lines());
        assertEquals(version + 2, db.entry().getServiceVersion());
        assertEquals(
                List.of("A::EVERYONE@:r"),
                db.access().container(db.container("c")).acl().lines());
        assertEquals(FaultCode.NONEXIST, acl("", 3, "GROUP@"));
        assertEquals(FaultCode.INVAL, acl("", 1, ""));
        assertEquals(FaultCode.INVAL, acl("", 0, "", "A::bob@:r"));
        assertEquals(FaultCode.INVAL, acl("", 9, "", "A::bob@:r"));
        assertEquals(FaultCode.INVAL, acl("", 2, "", "A::bob@:T"));
        assertEquals(FaultCode.INVAL, acl("c", 2, "", "A::bob@:c"));
    }

    @Test
    void shouldKeepAListThatLetsNobodyIn() {
        init("A::bob@:rw");

        assertEquals(null, acl("", 3, "u:bob@"));

        assertEquals(FaultCode.NO_PERM, connect(ADA, READ_ONLY, handle()));
        restored();
        assertEquals(FaultCode.NO_PERM, connect(ADA, READ_ONLY, handle()));
    }

    @Test
    void shouldGiveAContainerAway() {
        init("A::EVERYONE@:rw");
        make("c", "ada@");

        assertEquals(
                null,
                code(apply(LogCommand.newBuilder()
                        .setOwnerChange(OwnerChangeMessage.newBuilder()
                                .setContainer(db.container("c").getUuid())
                                .setUser("bob@")))));

        assertEquals("bob@", db.container("c").getOwner());
        assertEquals("ada@", db.container("c").getGroup());
        assertEquals(FaultCode.NO_PERM, open(ADA, connected(ADA, READ_WRITE), "c", READ_WRITE, handle()));
        opened(BOB, connected(BOB, READ_WRITE), "c", READ_WRITE);
    }

    @Test
    void shouldBoundTheListsOfAllContainersTogether() {
        init();
        String[] large = new String[120];
        for (int i = 0; i < large.length; i++) large[i] = "A::" + "x".repeat(240) + i + "@:r";
        FaultCode code = null;
        int count = 0;
        while (code == null && count < Containers.CONTAINERS_MAX) {
            code = make("c" + count, "ada@", large);
            if (code == null) count++;
        }

        assertEquals(FaultCode.OVERFLOW, code);
        assertEquals(null, make("small", "ada@"));
        assertTrue(db.snapshot().length < 20 << 20);
    }

    /** Pools and containers of a release without lists. */
    @Test
    void shouldTakeOverOlderState() {
        init(PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(POOL))
                .setLabel("tank")
                .setUser("ada")
                .build());
        apply(LogCommand.newBuilder()
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(5, 5)))
                        .setLabel("old")));
        restored();

        assertEquals("ada@", db.access().pool().owner());
        assertEquals("root@", db.access().pool().group());
        ByteString pool = connected(ADA, READ_WRITE);
        opened(ADA, pool, "old", READ_WRITE);
        assertEquals(FaultCode.NO_PERM, connect(BOB, READ_ONLY, handle()));
    }

    private void restored() {
        PoolDb copy = new PoolDb();
        copy.restore(db.snapshot());
        assertArrayEquals(db.snapshot(), copy.snapshot());
        db = copy;
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
