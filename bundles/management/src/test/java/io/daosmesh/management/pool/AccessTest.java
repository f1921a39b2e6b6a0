package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.Permission;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.HandlesEndMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.OwnerChangeMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Lists and owners decide who may do what. */
class AccessTest extends AccessFixture {
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
}
