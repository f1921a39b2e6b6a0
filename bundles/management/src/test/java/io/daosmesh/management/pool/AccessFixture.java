package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import io.daosmesh.management.log.Replies;
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
import io.daosmesh.model.wire.PoolConnectMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolInitMessage;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** One pool of ada@ and labs@, and the commands that its log brings. */
abstract class AccessFixture {
    static final UUID POOL = new UUID(3, 3);
    static final User ADA = new User("ada@", "labs@", List.of(), "node1");
    static final User BOB = new User("bob@", "users@", List.of(), "node1");
    static final int READ_ONLY = 1;
    static final int READ_WRITE = 2;
    static final int EXCLUSIVE = 3;

    PoolDb db = new PoolDb();
    long next;

    LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.build().toByteArray()));
    }

    static FaultCode code(LogReply r) {
        return r.hasFault() ? Fault.fromWire(r.getFault()).code() : null;
    }

    /** Of ada@ and labs@. */
    void init(String... acl) {
        PoolEntryMessage.Builder e = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(POOL))
                .setLabel("tank")
                .setUser("ada@")
                .setGroup("labs@");
        if (acl.length > 0) e.setAcl(AclMessage.newBuilder().addAllEntries(List.of(acl)));
        init(e.build());
    }

    void init(PoolEntryMessage e) {
        PoolMap map = new PoolMap(POOL, 1, List.of(new PoolTarget(0, 0, 0, "/n0", TargetState.UPIN, false, 1)));
        apply(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(e).setMap(map.toWire())));
    }

    static CredentialMessage wire(User u) {
        return CredentialMessage.newBuilder()
                .setUser(u.user())
                .setGroup(u.group())
                .addAllGroups(u.groups())
                .setMachine(u.machine())
                .build();
    }

    ByteString handle() {
        return Ids.bytes(new UUID(7, ++next));
    }

    FaultCode connect(User u, int flags, ByteString handle) {
        return code(apply(LogCommand.newBuilder()
                .setPoolConnect(PoolConnectMessage.newBuilder()
                        .setHandle(handle)
                        .setFlags(flags)
                        .setUser(wire(u)))));
    }

    ByteString connected(User u, int flags) {
        ByteString h = handle();
        assertEquals(null, connect(u, flags, h));
        return h;
    }

    FaultCode open(User u, ByteString pool, String container, int flags, ByteString handle) {
        return code(apply(LogCommand.newBuilder()
                .setContainerOpen(ContainerOpenMessage.newBuilder()
                        .setHandle(handle)
                        .setPoolHandle(pool)
                        .setContainer(container)
                        .setFlags(flags)
                        .setUser(wire(u)))));
    }

    ByteString opened(User u, ByteString pool, String container, int flags) {
        ByteString h = handle();
        assertEquals(null, open(u, pool, container, flags, h));
        return h;
    }

    FaultCode make(String label, String owner, String... acl) {
        ContainerMakeMessage.Builder m = ContainerMakeMessage.newBuilder()
                .setContainer(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(5, ++next)))
                        .setLabel(label)
                        .setOwner(owner)
                        .setGroup(owner));
        if (acl.length > 0) m.setAcl(AclMessage.newBuilder().addAllEntries(List.of(acl)));
        return code(apply(LogCommand.newBuilder().setContainerMake(m)));
    }

    int end(HandlesEndMessage.Builder m) throws Exception {
        return PoolEvictReply.parseFrom(
                        apply(LogCommand.newBuilder().setHandlesEnd(m)).getBody())
                .getCount();
    }

    Asker asker(User u, ByteString handle) {
        return new Asker(true, Optional.of(u), handle);
    }

    static void refuses(FaultCode code, org.junit.jupiter.api.function.Executable what) {
        assertEquals(code, assertThrows(FaultException.class, what).code());
    }

    FaultCode acl(String container, int op, String principal, String... entries) {
        return code(apply(LogCommand.newBuilder()
                .setAclChange(AclChangeMessage.newBuilder()
                        .setContainer(
                                container.isEmpty()
                                        ? ByteString.EMPTY
                                        : db.container(container).getUuid())
                        .setOpValue(op)
                        .setPrincipal(principal)
                        .addAllEntries(List.of(entries)))));
    }

    void restored() {
        PoolDb copy = new PoolDb();
        copy.restore(db.snapshot());
        assertArrayEquals(db.snapshot(), copy.snapshot());
        db = copy;
    }
}
