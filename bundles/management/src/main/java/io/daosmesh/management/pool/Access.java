package io.daosmesh.management.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.management.log.Replies;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Guarded;
import io.daosmesh.model.access.Permission;
import io.daosmesh.model.access.Permissions;
import io.daosmesh.model.access.Principal;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.AclChangeMessage;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerMakeMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenMessage;
import io.daosmesh.model.wire.ContainerOpenReply;
import io.daosmesh.model.wire.HandleMessage;
import io.daosmesh.model.wire.HandlesEndMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OwnerChangeMessage;
import io.daosmesh.model.wire.PoolConnectMessage;
import io.daosmesh.model.wire.PoolConnectReply;
import io.daosmesh.model.wire.PoolEvictReply;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Who may do what in one pool. Owner: its {@link PoolDb}. What is not allowed is refused; a right that a handle was opened
 * with lasts as long as the handle, everything else is looked up in the lists at each request.
 */
public final class Access {
    private final PoolDb db;
    private final Containers containers;
    private final Handles handles = new Handles();

    Access(PoolDb db, Containers containers) {
        this.db = db;
        this.containers = containers;
    }

    public Handles handles() {
        return handles;
    }

    public Guarded pool() {
        return PoolGuards.of(db.entry());
    }

    public Guarded container(ContainerMessage c) {
        return containers.guarded(c.getUuid(), pool());
    }

    // ---------------------------------------------------------------- questions

    /** NO_HDL for a client without a handle of this pool. */
    public void checkConnected(Asker asker) {
        connected(asker);
    }

    private Optional<Handles.PoolHandle> connected(Asker asker) {
        return asker.isClient() ? Optional.of(handles.poolOf(asker.required(), asker.handle())) : Optional.empty();
    }

    /** By label or UUID; who has no handle of the pool does not learn whether it exists. */
    public ContainerMessage find(Asker asker, String container) {
        checkConnected(asker);
        return db.container(container);
    }

    /** Where the pool's data is: for those whom the list lets in, and those who are in. */
    public void checkMap(Asker asker) {
        if (!maySeeMap(asker)) throw refused("see this pool");
    }

    public boolean maySeeMap(Asker asker) {
        if (!asker.isClient()) return true;
        User user = asker.required();
        return handles.isConnected(user) || PoolGuards.isOpenTo(user, db.entry());
    }

    public void checkCreate(Asker asker) {
        connected(asker).ifPresent(h -> {
            if (!h.rights().has(Permission.CREATE_CONTAINER)) throw refused("create containers in this pool");
        });
    }

    /** Either of the pool's list, by the handle, or of the container's own. */
    public void checkDestroy(Asker asker, ContainerMessage c) {
        connected(asker).ifPresent(h -> {
            boolean mayDelete = h.rights().has(Permission.DELETE_CONTAINER)
                    || container(c).permissions(asker.required()).has(Permission.DELETE_CONTAINER);
            if (!mayDelete) throw refused("destroy this container");
        });
    }

    /** A client needs one of the permissions of the container's list. */
    public void check(Asker asker, ContainerMessage c, Permission... of) {
        if (connected(asker).isEmpty()) return;
        if (!container(c).permissions(asker.required()).hasAny(of)) {
            throw refused("do this with the container; " + Permissions.of(of) + " would be needed");
        }
    }

    /** A client shows a handle of the very container, opened to write. */
    public ContainerMessage findWritable(Asker asker, String container) {
        if (!asker.isClient()) return db.container(container);
        Handles.ContainerHandle h = handles.containerOf(asker.required(), asker.handle());
        ContainerMessage c = db.container(container);
        if (!h.container().equals(Ids.uuid(c.getUuid()))) {
            throw Fault.of(FaultCode.NO_HDL, "the handle is of another container")
                    .asException();
        }
        if ((h.rights() & Mode.WRITE) == 0) throw refused("write to this container");
        return c;
    }

    private static RuntimeException refused(String what) {
        return Fault.of(FaultCode.NO_PERM, "you may not %s", what)
                .remedy("ask its owner or an administrator to change the access control list")
                .asException();
    }

    /** What an engine needs to know of those handles that there are. */
    public List<HandleMessage> describe(Collection<ByteString> ids) {
        return ids.stream()
                .distinct()
                .flatMap(id -> handles.container(id).stream())
                .map(h -> HandleMessage.newBuilder()
                        .setHandle(h.id())
                        .setContainer(Ids.bytes(h.container()))
                        .setRights(h.rights())
                        .setUser(h.pool().user())
                        .setMachine(h.pool().machine())
                        .build())
                .toList();
    }

    // ---------------------------------------------------------------- changes

    LogReply apply(LogCommand c) {
        return switch (c.getCommandCase()) {
            case POOL_CONNECT -> connect(c.getPoolConnect());
            case HANDLES_END -> end(c.getHandlesEnd());
            case CONTAINER_OPEN -> open(c.getContainerOpen());
            case ACL_CHANGE -> change(c.getAclChange());
            case OWNER_CHANGE -> change(c.getOwnerChange());
            case CONTAINER_MAKE -> make(c.getContainerMake(), c.getHlc());
            default -> throw new IllegalStateException("no command about access: " + c.getCommandCase());
        };
    }

    private LogReply connect(PoolConnectMessage m) {
        User user = User.of(m.getUser());
        Mode mode = Mode.of(m.getFlags());
        Permissions rights = mode.ofPool(pool().permissions(user));
        handles.connect(m.getHandle(), mode, rights, user);
        return Replies.done(PoolConnectReply.newBuilder()
                .setPool(db.entry().getPool())
                .setHandle(m.getHandle())
                .build());
    }

    private LogReply end(HandlesEndMessage m) {
        int count;
        if (m.getAll()) count = handles.endWhere(h -> true);
        else if (!m.getMachine().isEmpty())
            count = handles.endWhere(h -> h.machine().equals(m.getMachine()));
        else if (m.hasBy()) count = handles.end(m.getHandlesList(), User.of(m.getBy()));
        else count = handles.end(m.getHandlesList());
        return Replies.done(PoolEvictReply.newBuilder().setCount(count).build());
    }

    private LogReply open(ContainerOpenMessage m) {
        User user = User.of(m.getUser());
        Mode mode = Mode.of(m.getFlags());
        Handles.PoolHandle pool = handles.poolOf(user, m.getPoolHandle());
        ContainerMessage c = db.container(m.getContainer());
        int rights = mode.ofContainer(container(c).permissions(user));
        if (mode != Mode.READ_ONLY) ContainerHealth.checkWritable(c);
        handles.open(m.getHandle(), pool, Ids.uuid(c.getUuid()), mode, rights);
        return Replies.done(ContainerOpenReply.newBuilder()
                .setHandle(m.getHandle())
                .setContainer(c)
                .build());
    }

    /** The reply says nothing: kept replies of long lists would fill the memory. */
    private LogReply change(AclChangeMessage m) {
        Guarded now = m.getContainer().isEmpty() ? pool() : containers.guarded(m.getContainer(), pool());
        Guarded next = now.with(changed(now.acl(), m));
        if (m.getContainer().isEmpty()) db.setAcl(next.acl());
        else containers.setGuarded(m.getContainer(), next);
        return Replies.DONE;
    }

    /** INVAL for a number that is no operation. */
    public static AclRequest.Op checked(AclRequest r) {
        if (r.getOp() == AclRequest.Op.UNRECOGNIZED) throw unknown(r.getOpValue());
        return r.getOp();
    }

    private static FaultException unknown(int op) {
        return Fault.of(FaultCode.INVAL, "%d is nothing to do with an access control list", op)
                .asException();
    }

    private static Acl changed(Acl now, AclChangeMessage m) {
        AclRequest.Op op = m.getOp();
        if (op == AclRequest.Op.UNRECOGNIZED) throw unknown(m.getOpValue());
        if (op == AclRequest.Op.DELETE) return now.without(Principal.parse(m.getPrincipal()));
        Acl given = Acl.of(m.getEntriesList());
        if (op == AclRequest.Op.GET || given.entries().isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "no entry of an access control list is given")
                    .asException();
        }
        return op == AclRequest.Op.UPDATE ? now.updated(given) : given;
    }

    private LogReply change(OwnerChangeMessage m) {
        if (m.getUser().isEmpty() && m.getGroup().isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "neither a user nor a group is given")
                    .asException();
        }
        Guarded now = containers.guarded(m.getContainer(), pool());
        containers.setGuarded(m.getContainer(), now.ownedBy(m.getUser(), m.getGroup()));
        return Replies.DONE;
    }

    private LogReply make(ContainerMakeMessage m, long hlc) {
        ContainerMessage c = m.getContainer();
        Guarded owner = pool().ownedBy(c.getOwner(), c.getGroup());
        Acl acl = m.hasAcl() ? Acl.of(m.getAcl().getEntriesList()) : Guarded.Kind.CONTAINER.defaultAcl();
        Guarded checked = new Guarded(Guarded.Kind.CONTAINER, owner.owner(), owner.group(), acl);
        ContainerMessage owned = c.toBuilder()
                .setOwner(checked.owner())
                .setGroup(checked.group())
                .build();
        return Replies.done(containers.create(
                owned,
                m.hasAcl() ? Optional.of(m.getAcl()) : Optional.empty(),
                hlc,
                db.map().version()));
    }

    void onContainerGone(ByteString container) {
        handles.endOf(Ids.uuid(container));
    }
}
